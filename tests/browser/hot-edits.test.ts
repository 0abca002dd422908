// Three clients write without pause while somebody edits: functions, columns, broken code. Whatever a client was
// told is stored must be there in the end, once, and good code must answer at every moment.
import { afterEach, expect, test } from "vitest";
import { TestApp, call } from "../support/app.ts";
import { Editor } from "../support/editor.ts";
import {
  Writer,
  answered,
  entriesModule,
  refusals,
  throughClient,
  throughFetch,
  throughNamedCalls,
} from "../support/writers.ts";
import type { Row } from "../support/writers.ts";

const filesOf = (modifier: string): Record<string, string> => ({
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
})${modifier};
`,
  "lunora/notes.ts": `import { mutation, query, v } from "./_generated/server";
export const version = query.query(() => 0);
export const list = query.query(({ ctx }) => ctx.db.query("notes").collect());
export const newest = query.query(({ ctx }) => ctx.db.query("notes").order("desc").first());
export const add = mutation.input({ text: v.string() }).mutation(({ ctx, args }) => ctx.db.insert("notes", args));
`,
  "lunora/entries.ts": entriesModule,
});

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test.each([
  { edits: 50, name: "an app", modifier: "" },
  { edits: 20, name: "an app that is pinned", modifier: '.jurisdiction("eu")' },
])("$edits edits of $name under three writers lose nothing that was acknowledged", async ({ edits, modifier }) => {
  app = TestApp.of("hot-edits", filesOf(modifier));
  const { url, vite } = await app.dev();
  await call(url, "notes:add", { text: "before any edit" });
  const writers = [throughClient(url), throughFetch(url), throughNamedCalls(url)].map(
    (save, index) => new Writer(`writer-${index}`, save),
  );
  try {
    await answered(writers);
    const editor = new Editor(app, url, vite);
    for (let edit = 0; edit < edits; edit += 1) {
      await editor.edit(() => answered(writers));
      await answered(writers);
    }
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }

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
  expect(refusals(writers)).toEqual({});
  expect(notes.size).toBe(1 + writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0));
});
