// Three clients write without pause while somebody edits: functions, columns, broken code. Whatever a client was
// told is stored must be there in the end, once, and good code must answer at every moment.
import { afterEach, expect, test } from "vitest";
import { LunoraClient } from "lunorash/client";
import { functionReference } from "lunorash/protocol";
import type { FunctionReference } from "lunorash/protocol";
import { TestApp, call, until } from "../support/app.ts";
import type { Program } from "../support/app.ts";
import { random } from "../support/random.ts";

const EDITS = 50;

const files = {
  "package.json": `{ "name": "hot-edits", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";
export default { plugins: [lunora()] };
`,
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  notes: defineTable({ text: v.string(), /* columns */ }),
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});
`,
  "lunora/notes.ts": `import { mutation, query, v } from "./_generated/server";
export const version = query.query(() => 0);
export const list = query.query(({ ctx }) => ctx.db.query("notes").collect());
export const add = mutation.input({ text: v.string() }).mutation(({ ctx, args }) => ctx.db.insert("notes", args));
`,
  "lunora/entries.ts": `import { mutation, query, v } from "./_generated/server";
export const list = query.input({ room: v.string() }).query(({ ctx }) => ctx.db.query("entries").collect());
export const add = mutation
  .input({ room: v.string(), text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("entries", args));
`,
};

interface Row {
  readonly _id: string;
  readonly text: string;
}

type Save = (room: string, text: string) => Promise<{ readonly note: unknown; readonly entry: unknown }>;

/** As the client of this repository does it, which repeats what was not answered. */
function throughClient(url: string): Save {
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
function throughFetch(url: string): Save {
  return async (room, text) => ({
    note: await call(url, "notes:add", { text }),
    entry: await call(url, "entries:add", { room, text }),
  });
}

/** As a careful HTTP client does it, which names its mutations. */
function throughNamedCalls(url: string): Save {
  return async (room, text) => ({
    note: await call(url, "notes:add", { text }, { "x-lunora-mutation-id": `note-${text}` }),
    entry: await call(url, "entries:add", { room, text }, { "x-lunora-mutation-id": `entry-${text}` }),
  });
}

/** Writes one row after the other and keeps book of what it was told. */
class Writer {
  readonly room: string;
  readonly acknowledged: { readonly text: string; readonly note: unknown; readonly entry: unknown }[] = [];
  readonly refused: unknown[] = [];
  readonly #save: Save;
  #isWriting = true;
  readonly #finished: Promise<void>;

  constructor(room: string, save: Save) {
    this.room = room;
    this.#save = save;
    this.#finished = this.#write();
  }

  async stop(): Promise<void> {
    this.#isWriting = false;
    await this.#finished;
  }

  async #write(): Promise<void> {
    for (let count = 1; this.#isWriting; count += 1) {
      const text = `${this.room} ${count}`;
      try {
        this.acknowledged.push({ text, ...(await this.#save(this.room, text)) });
      } catch (error) {
        this.refused.push(error);
      }
    }
  }
}

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test(`${EDITS} edits under three writers lose nothing that was acknowledged`, async () => {
  app = TestApp.of("hot-edits", files);
  const { url, vite } = await app.dev();
  await call(url, "notes:add", { text: "before any edit" });
  const writers = [throughClient(url), throughFetch(url), throughNamedCalls(url)].map(
    (save, index) => new Writer(`writer-${index}`, save),
  );
  try {
    await writeOn(writers);
    const editor = new Editor(app, url, vite);
    for (let edit = 0; edit < EDITS; edit += 1) {
      await editor.edit(() => writeOn(writers));
      await writeOn(writers);
    }
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }

  expect(refusals(writers)).toEqual({});
  const notes = new Map<string, Row[]>();
  for (const row of (await call(url, "notes:list")) as Row[]) {
    notes.set(row.text, [...(notes.get(row.text) ?? []), row]);
  }
  expect(notes.get("before any edit")).toHaveLength(1);
  for (const writer of writers) {
    const entries = (await call(url, "entries:list", { room: writer.room })) as Row[];
    expect(entries.map(({ _id, text }) => ({ _id, text }))).toEqual(
      writer.acknowledged.map(({ text, entry }) => ({ _id: entry, text })),
    );
    for (const { text, note } of writer.acknowledged) {
      expect(notes.get(text)?.map(({ _id }) => _id)).toEqual([note]);
    }
  }
  expect(notes.size).toBe(1 + writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0));
});

/** What writers were refused with, and how often. */
function refusals(writers: readonly Writer[]): Record<string, number> {
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
async function writeOn(writers: readonly Writer[]): Promise<void> {
  const goals = writers.map((writer) => writer.acknowledged.length + 2);
  await until("every writer was answered", () =>
    writers.every((writer, index) => writer.acknowledged.length >= (goals[index] ?? 0)),
  );
}

/** Makes the edits, each of a kind that chance chooses, and waits until it is seen. */
class Editor {
  readonly #app: TestApp;
  readonly #url: string;
  readonly #vite: Program;
  readonly #random = random();
  #version = 0;
  #columns: string[] = [];
  #columnsMade = 0;

  constructor(app: TestApp, url: string, vite: Program) {
    this.#app = app;
    this.#url = url;
    this.#vite = vite;
  }

  /** `writeOn` is called while broken code lies in the folder. */
  async edit(writeOn: () => Promise<void>): Promise<void> {
    const kinds = [
      () => this.#editFunction(),
      () => this.#saveInBursts(),
      () => this.#addColumn(),
      () => (this.#columns.length === 0 ? this.#addColumn() : this.#removeColumn()),
      () => this.#breakAndRepair("lunora/notes.ts", "\nexport const broken = ;\n", "SYNTAX_ERROR", writeOn),
      () => this.#breakAndRepair("lunora/schema.ts", "\nexport const broken = (;\n", "SYNTAX_ERROR", writeOn),
      () => this.#breakAndRepair("lunora/entries.ts", '\nexport { it } from "./nowhere";\n', "nowhere", writeOn),
      () => this.#breakAndRepair("lunora/schema.ts", '\nthrow new Error("at start");\n', "at start", writeOn),
    ];
    await kinds[Math.floor(this.#random() * kinds.length)]?.();
  }

  async #editFunction(): Promise<void> {
    this.#bumpVersion();
    await this.#isServed();
  }

  async #saveInBursts(): Promise<void> {
    for (let save = 0; save < 5; save += 1) {
      this.#bumpVersion();
      await new Promise((resolve) => setTimeout(resolve, this.#random() * 40));
    }
    await this.#isServed();
  }

  #bumpVersion(): void {
    this.#version += 1;
    this.#app.edit("lunora/notes.ts", `query(() => ${this.#version - 1})`, `query(() => ${this.#version})`);
  }

  #isServed(): Promise<unknown> {
    return until("the edit is served", async () => (await call(this.#url, "notes:version")) === this.#version);
  }

  async #addColumn(): Promise<void> {
    this.#columnsMade += 1;
    await this.#setColumns([...this.#columns, `column${this.#columnsMade}`]);
  }

  async #removeColumn(): Promise<void> {
    const gone = Math.floor(this.#random() * this.#columns.length);
    await this.#setColumns(this.#columns.filter((_, index) => index !== gone));
  }

  async #setColumns(columns: readonly string[]): Promise<void> {
    this.#columns = [...columns];
    const text = columns.map((column) => `${column}: v.number().default(7), `).join("");
    this.#app.write(
      "lunora/schema.ts",
      this.#app.read("lunora/schema.ts").replace(/text: v\.string\(\), .*\/\* columns \*\//, `text: v.string(), ${text}/* columns */`),
    );
    await until("the types know the columns", () => {
      const model = this.#app.read("lunora/_generated/dataModel.ts");
      return [...model.matchAll(/^ {2}(column\d+): number;$/gm)].map(([, column]) => column).join() === columns.join();
    });
    await until("new rows have the columns", async () => {
      const id = await call(this.#url, "entries:add", { room: "editor", text: "probe" });
      return typeof id === "string";
    });
  }

  async #breakAndRepair(path: string, breakage: string, said: string, writeOn: () => Promise<void>): Promise<void> {
    const good = this.#app.read(path);
    const seen = this.#vite.output.length;
    this.#app.write(path, `${good}${breakage}`);
    await until(`the error is told: ${said}`, () => this.#vite.output.slice(seen).includes(said));
    await writeOn();
    expect(await call(this.#url, "notes:version")).toBe(this.#version);
    const repaired = this.#vite.output.length;
    this.#app.write(path, good);
    await until("the repair is noticed", () => this.#vite.output.slice(repaired).includes("all errors are gone"));
  }
}
