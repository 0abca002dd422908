// Clients write and look without pause while their app is disturbed through its inspector. Whatever a client was told is
// stored is there in the end, once, and whoever looked on saw all of it.
import { readFileSync } from "node:fs";
import { LunoraClient } from "lunorash/client";
import { functionReference } from "lunorash/protocol";
import type { FunctionReference } from "lunorash/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TestApp, call, until } from "../support/app.ts";
import { Writer, answered, entriesModule, refusals, throughClient } from "../support/writers.ts";
import type { Row } from "../support/writers.ts";

const files = {
  "package.json": `{ "name": "disturbed", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";\nexport default { plugins: [lunora()] };\n`,
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
}).jurisdiction("eu");
`,
  "lunora/notes.ts": `import { mutation, query, v } from "./_generated/server";
export const list = query.query(({ ctx }) => ctx.db.query("notes").collect());
export const add = mutation.input({ text: v.string() }).mutation(({ ctx, args }) => ctx.db.insert("notes", args));
`,
  "lunora/entries.ts": entriesModule,
};

interface Fault {
  readonly fault: string;
  readonly state: string;
  readonly object?: string;
}

const listNotes: FunctionReference<"query", {}, Row[], "public"> = functionReference("notes:list", "query", {
  kind: "root",
});
const listEntries: FunctionReference<"query", { room: string }, Row[], "public"> = functionReference(
  "entries:list",
  "query",
  { kind: "argument", argument: "room", field: "room" },
);

let app: TestApp;
let url: string;
let inspector: { origin: string; token: string };
const clients: LunoraClient[] = [];
const feeds: WebSocket[] = [];

beforeAll(async () => {
  app = TestApp.of("disturbed", files);
  ({ url } = await app.dev());
  inspector = JSON.parse(readFileSync(app.path(".lunora/inspector.json"), "utf8")) as typeof inspector;
});

afterAll(async () => {
  for (const open of [...clients, ...feeds]) open.close();
  await app.dispose();
});

async function ask<Answer>(path: string, body?: object): Promise<{ status: number; body: Answer }> {
  const response = await fetch(`${inspector.origin}${path}`, {
    headers: { authorization: `Bearer ${inspector.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

/** A socket of the object: what is disturbed may be without one for a moment. */
function socketOf(object: string): Promise<string> {
  return until(`somebody is connected to ${object}`, async () => {
    const { body } = await ask<{ value: { sockets: { socket: string; subscriptionCount: number }[] } }>(
      "/api/inspect/clients",
      { object },
    );
    return body.value.sockets.find(({ subscriptionCount }) => subscriptionCount > 0)?.socket;
  });
}

/** Everything that is told of faults from here on. While nobody has a feed, only the newest of what happens is kept. */
async function hearFaults(): Promise<Fault[]> {
  const socket = new WebSocket(`${inspector.origin.replace("http", "ws")}/api/feed`, [
    "lunora.inspector",
    `token.${inspector.token}`,
  ]);
  const heard: Fault[] = [];
  socket.addEventListener("message", ({ data }) => {
    heard.push(...((JSON.parse(String(data)) as { events?: Fault[] }).events ?? []));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  socket.send(JSON.stringify({ after: 0, types: ["fault"] }));
  feeds.push(socket);
  return heard;
}

const FAULTS: Readonly<Record<string, object>> = {
  dropSocket: {},
  cutPoke: { afterFrames: 0 },
  swapFrames: {},
  delayPokes: { ms: 300, count: 3 },
  trimLog: {},
  evict: {},
  failRegion: { region: "eu", ms: 400 },
};
const OF_SOCKETS = new Set(["dropSocket", "cutPoke", "swapFrames"]);

/** Asks until it is done, since the socket may be gone again, and then waits until it is told. */
async function inject(heard: readonly Fault[], fault: string, object: string): Promise<void> {
  const from = heard.length;
  const isOfAll = fault === "failRegion";
  await until(`${fault} is asked of ${object}`, async () => {
    const target = isOfAll ? {} : { object, ...(OF_SOCKETS.has(fault) ? { socket: await socketOf(object) } : {}) };
    const { status, body } = await ask("/api/inspect/fault", { fault, ...target, ...FAULTS[fault] });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return true;
  });
  await until(`${fault} happens to ${object}`, () =>
    heard
      .slice(from)
      .some((event) => event.fault === fault && event.state === "happened" && (isOfAll || event.object === object)),
  );
}

test("clients that write and look on come through every fault with nothing lost", async () => {
  const heard = await hearFaults();
  const writers = [0, 1, 2].map((index) => new Writer(`writer-${index}`, throughClient(url)));
  const [first] = writers as [Writer];
  const looking = new LunoraClient({ url, environment: { WebSocket: WebSocket as never } });
  clients.push(looking);
  const notes = looking.liveQuery(listNotes);
  const entries = looking.liveQuery(listEntries, { room: first.room });
  for (const view of [notes, entries]) view.subscribe(() => {});
  try {
    await answered(writers);
    for (const fault of Object.keys(FAULTS)) {
      for (const object of ["__root__", `room=${first.room}`]) {
        await inject(heard, fault, object);
        await answered(writers);
      }
    }
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }
  expect(refusals(writers)).toEqual({});
  const stored = (await call(url, "notes:list")) as Row[];
  const written = writers.flatMap(({ acknowledged }) => acknowledged);
  const byId = (rows: readonly Row[]): string[] => rows.map(({ _id, text }) => `${_id} ${text}`).toSorted();
  expect(byId(stored)).toEqual(byId(written.map(({ note, text }) => ({ _id: note as string, text }))));
  for (const writer of writers) {
    const rows = (await call(url, "entries:list", { room: writer.room })) as Row[];
    expect(rows.map(({ _id, text }) => ({ _id, text }))).toEqual(
      writer.acknowledged.map(({ text, entry }) => ({ _id: entry, text })),
    );
  }
  await until("whoever looked on has seen all of it", () => {
    const [shown, shownEntries] = [notes.getSnapshot(), entries.getSnapshot()];
    if (shown.status !== "live" || shownEntries.status !== "live") return false;
    expect(byId(shown.data ?? [])).toEqual(byId(stored));
    expect((shownEntries.data ?? []).map(({ text }) => text)).toEqual(first.acknowledged.map(({ text }) => text));
    return true;
  });
});
