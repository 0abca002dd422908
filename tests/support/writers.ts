// Clients that write notes and entries to an app without pause, and keep book of what they were told.
import { LunoraClient } from "lunorash/client";
import { functionReference } from "lunorash/protocol";
import type { FunctionReference } from "lunorash/protocol";
import { call, until } from "./app.ts";

/** The module of an app whose rooms are written to, each of them a shard. */
export const entriesModule = `import { mutation, query, v } from "./_generated/server";
export const list = query.input({ room: v.string() }).query(({ ctx }) => ctx.db.query("entries").collect());
export const add = mutation
  .input({ room: v.string(), text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("entries", args));
`;

/** What is stored of a note or an entry. */
export interface Row {
  readonly _id: string;
  readonly text: string;
}

type Save = (room: string, text: string) => Promise<{ readonly note: unknown; readonly entry: unknown }>;

/** As the client of this repository does it, which repeats what was not answered. */
export function throughClient(url: string): Save {
  const client = new LunoraClient({ url });
  const root = { kind: "root" } as const;
  const shard = { kind: "argument", argument: "room", field: "room" } as const;
  const addNote = functionReference<FunctionReference<"mutation", { text: string }, string, "public">>(
    "notes:add",
    "mutation",
    root,
  );
  const addEntry = functionReference<FunctionReference<"mutation", { room: string; text: string }, string, "public">>(
    "entries:add",
    "mutation",
    shard,
  );
  return async (room, text) => ({
    note: await client.mutation(addNote, { text }),
    entry: await client.mutation(addEntry, { room, text }),
  });
}

/** As a plain HTTP client does it, which knows nothing about reloads. */
export function throughFetch(url: string): Save {
  return async (room, text) => ({
    note: await call(url, "notes:add", { text }),
    entry: await call(url, "entries:add", { room, text }),
  });
}

/** As a careful HTTP client does it, which names its mutations. */
export function throughNamedCalls(url: string): Save {
  return async (room, text) => ({
    note: await call(url, "notes:add", { text }, { "x-lunora-mutation-id": `note-${text}` }),
    entry: await call(url, "entries:add", { room, text }, { "x-lunora-mutation-id": `entry-${text}` }),
  });
}

/** Writes one row after the other and keeps book of what it was told. */
export class Writer {
  readonly room: string;
  readonly acknowledged: { readonly text: string; readonly note: unknown; readonly entry: unknown }[] = [];
  readonly refused: unknown[] = [];
  readonly #save: Save;
  readonly #ending = new AbortController();
  readonly #finished: Promise<void>;

  constructor(room: string, save: Save) {
    this.room = room;
    this.#save = save;
    this.#finished = this.#write();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#finished;
  }

  async #write(): Promise<void> {
    for (let count = 1; !this.#ending.signal.aborted; count += 1) {
      const text = `${this.room} ${count}`;
      try {
        this.acknowledged.push({ text, ...(await this.#save(this.room, text)) });
      } catch (error) {
        this.refused.push(error);
      }
    }
  }
}

/** What writers were refused with, and how often. */
export function refusals(writers: readonly Writer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { room, refused } of writers) {
    for (const error of refused) {
      const { code, message } = error as { code?: string; message: string };
      const name = `${room}: ${code ?? "no code"}: ${message}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

/** Resolves when every writer was told twice more that its row is stored: one of the two began after now. */
export async function answered(writers: readonly Writer[]): Promise<void> {
  const goals = writers.map((writer) => writer.acknowledged.length + 2);
  await until("every writer was answered", () =>
    writers.every((writer, index) => writer.acknowledged.length >= (goals[index] ?? 0)),
  );
}
