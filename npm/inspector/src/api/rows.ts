import type { RowOperation } from "./events.ts";

/** A document in the wire codec: plain JSON but for tagged values. */
export type WireDocument = Readonly<Record<string, unknown>>;

export interface LogEntry {
  readonly seq: number;
  readonly at: number;
  readonly table: string;
  readonly id: string;
  readonly op: RowOperation;
  readonly before?: WireDocument | null;
  readonly after?: WireDocument | null;
}

export interface LogPage {
  readonly epoch: string;
  readonly floor: number;
  readonly head: number;
  readonly entries: readonly LogEntry[];
}

export interface LogQuery {
  readonly object: string;
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
  readonly table?: string;
  readonly id?: string;
  readonly op?: string;
}

export interface RowPage {
  readonly rows: readonly WireDocument[];
  readonly cursor: string | null;
  readonly total?: number;
}

export interface RowQuery {
  readonly object: string;
  readonly table: string;
  readonly cursor?: string;
  readonly limit: number;
  readonly orderBy?: unknown;
  readonly filter?: unknown;
  readonly search?: string;
}

export interface RowHistory {
  readonly row: WireDocument | null;
  readonly history: readonly LogEntry[];
}

export interface Edit {
  readonly object: string;
  readonly table: string;
  readonly op: "insert" | "patch" | "replace" | "delete";
  readonly id?: string;
  readonly document?: unknown;
}

export interface Edited {
  /** `null` when nothing changed. */
  readonly seq: number | null;
  readonly row: WireDocument | null;
}

export interface RunRequest {
  readonly object?: string;
  readonly functionPath: string;
  readonly args: unknown;
  readonly identity: { readonly userId: string } | null;
}

export interface RunResult {
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly call?: string;
  readonly fromSeq?: number;
  readonly toSeq?: number;
}

export interface Job {
  readonly id: string;
  readonly functionPath: string;
  readonly args?: unknown;
  readonly dueAt: number;
  readonly state: string;
  readonly attempt: number;
  readonly lastError?: { readonly code: string; readonly message: string };
}

export interface Jobs {
  readonly jobs: readonly Job[];
  readonly cursor?: string | null;
  readonly crons: readonly {
    readonly name: string;
    readonly expression: string;
    readonly functionPath: string;
    readonly args?: unknown;
    readonly lastAt: number | null;
  }[];
}
