import type { SqlValue } from "../sql.ts";

/** The part of the platform's D1 binding that is used. Written down here, so that an app needs no types of the platform. */
export interface D1Connection {
  prepare(text: string): D1Statement;
  /** Runs the statements in one transaction. */
  batch(statements: readonly D1Statement[]): Promise<readonly D1Answer[]>;
}

export interface D1Binding extends D1Connection {
  withSession(constraint: "first-primary"): D1Connection;
}

export interface D1Statement {
  bind(...values: readonly SqlValue[]): D1Statement;
}

export interface D1Answer {
  readonly results: readonly FarRow[];
}

/** A row of an answer; columns in the order of the statement. */
export type FarRow = Record<string, SqlValue>;

/** A statement with its values. */
export interface Statement {
  readonly text: string;
  readonly bindings: readonly SqlValue[];
}
