import type { Environment } from "@lunora/server";

import type { Commit } from "../commit.ts";
import { failureOf } from "../function-runner.ts";
import type { MutationCall } from "../mutation-call.ts";
import type { Schema } from "../schema.ts";
import { render } from "../statement.ts";
import type { Table } from "../table.ts";
import { D1 } from "./d1.ts";
import type { GlobalSource } from "./global-database.ts";
import { globalKey } from "./global-key.ts";
import { GlobalReader } from "./global-reader.ts";
import type { GlobalMutation, GlobalSession } from "./global-session.ts";
import { GlobalStore } from "./global-store.ts";
import { mirrorTables } from "./mirror-tables.ts";
import { GlobalMirror } from "./mirror.ts";
import type { MirrorHost } from "./mirror.ts";
import { MutationGlobals } from "./mutation-globals.ts";

/** What global tables need of the object that uses them. */
export interface GlobalsHost {
  readonly schema: Schema;
  readonly env: Environment;
  /** The object's name. */
  readonly object: string;
  /** Epoch milliseconds. */
  now(): number;
  /** The timeline that the sequences of clients belong to. */
  timeline(): string;
  /** How long D1 may take for an answer, milliseconds. */
  readonly answerTime?: number | undefined;
}

/** What following the database needs of the object. */
export interface MirroringHost extends Omit<MirrorHost, "database" | "failed" | "wakeAt"> {
  /** The object's alarm is to ring by then, and to call `ring` of the mirror. */
  wakeAt(time: number): Promise<void>;
}

/** The global tables, as the functions of one object reach them. */
export interface Globals extends GlobalSource {
  /** Of functions that write nothing. */
  readonly reader: GlobalSession;
  /** Of one mutation; `isFirst` when nothing that is not committed is before it. */
  mutation(call: MutationCall, commit: Commit, now: number, isFirst: boolean): GlobalMutation;
  /** Whether the function is known to write to global tables: it runs as the first of a group. */
  isWriter(functionPath: string): boolean;
  /** What shapes over global tables are over, by the names of these. */
  readonly copies: ReadonlyMap<string, Table>;
  /** Follows the database for subscriptions; once. */
  mirror(host: MirroringHost): GlobalMirror;
}

export type GlobalsFactory = (host: GlobalsHost) => Globals;

/** An object's batches between two that prune. The first one does. */
const PRUNE_EVERY = 16;

function warn(error: unknown): void {
  console.warn("[lunora] global tables cannot be followed", error);
}

/** Gives functions their `.global()` tables, as a part of the app's definition: `{ schema, functions, globals, app }`. */
export const globals: GlobalsFactory = ({ schema, env, object, now: clock, timeline, answerTime }) => {
  const store = new GlobalStore(new D1(env, answerTime), schema);
  const reader = new GlobalReader(store);
  const writers = new Set<string>();
  let batches = 0;
  const source: Globals = {
    database: { read: (statements) => store.run(statements.map(render)) },
    copies: mirrorTables(schema),
    mirror: (host) => {
      const wakeAt = (time: number): void =>
        void host.wakeAt(time).catch((error: unknown) => {
          failureOf("the alarm of global tables", error);
        });
      const mirror = new GlobalMirror({ ...host, database: source.database, wakeAt, failed: warn }, source.copies);
      source.onWritten = () => mirror.onWritten();
      return mirror;
    },
    reader,
    onWritten: undefined,
    isWriter: (functionPath) => writers.has(functionPath),
    mutation: (call, commit, now, isFirst) =>
      new MutationGlobals(store, {
        functionPath: call.functionPath,
        key: globalKey(call, object, timeline()),
        commit,
        isFirst,
        now,
        clock,
        newKey: () => crypto.randomUUID(),
        prunes: () => batches++ % PRUNE_EVERY === 0,
        onWriter: () => writers.add(call.functionPath),
        onWritten: (tables) => source.onWritten?.(tables),
      }),
  };
  return source;
};
