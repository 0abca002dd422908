// Chaos on a real app under writers: a seed is the same run again, and nothing that was acknowledged is lost.
import { afterEach, expect, test } from "vitest";
import { LunoraClient } from "lunorash/client";
import { functionReference } from "lunorash/protocol";
import type { FunctionReference } from "lunorash/protocol";
import { WebSocket } from "ws";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import type { Program } from "../support/app.ts";

const files = {
  "package.json": `{ "name": "disturbed", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";\nexport default { plugins: [lunora()] };\n`,
  "index.html": "<!doctype html><title>Disturbed</title>",
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});
`,
  "lunora/entries.ts": `import { mutation, query, v } from "./_generated/server";
export const list = query.input({ room: v.string() }).query(({ ctx }) => ctx.db.query("entries").collect());
export const add = mutation
  .input({ room: v.string(), text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("entries", args));
`,
};

const shard = { kind: "argument", argument: "room", field: "room" } as const;
interface Row {
  readonly text: string;
}
const list = functionReference<FunctionReference<"query", { room: string }, Row[], "public">>(
  "entries:list",
  "query",
  shard,
);
const add = functionReference<FunctionReference<"mutation", { room: string; text: string }, string, "public">>(
  "entries:add",
  "mutation",
  shard,
);

interface Fault {
  readonly state: string;
  readonly fault: string;
  readonly step: number;
  readonly seed: number;
  readonly object?: string;
  readonly region?: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Asks the inspector of an app. */
class Inspector {
  readonly #entry: { origin: string; token: string };

  constructor(app: TestApp) {
    this.#entry = JSON.parse(app.read(".lunora/inspector.json")) as { origin: string; token: string };
  }

  async ask<Answer>(path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#entry.origin}/api/${path}`, {
      headers: { authorization: `Bearer ${this.#entry.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Answer;
  }

  async step(): Promise<number> {
    return (await this.ask<{ chaos: { step: number } | null }>("status")).chaos?.step ?? -1;
  }

  async faults(): Promise<Fault[]> {
    return (await this.ask<{ events: Fault[] }>("events?type=fault&limit=1000")).events;
  }
}

/** Somebody in a room who writes one row after the other and sees all of them. */
class Person {
  readonly room: string;
  readonly acknowledged: string[] = [];
  readonly refused: unknown[] = [];
  seen: readonly Row[] | undefined;
  readonly #client: LunoraClient;
  readonly #ending = new AbortController();
  #writing: Promise<void> = Promise.resolve();

  constructor(url: string, room: string) {
    this.room = room;
    // The Node that runs this may have none of its own.
    this.#client = new LunoraClient({ url, environment: { WebSocket } });
    this.#client.subscribe(list, { room }, (rows) => (this.seen = rows));
  }

  begin(): void {
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#writing;
  }

  close(): void {
    this.#client.close();
  }

  async #write(): Promise<void> {
    for (let count = 1; !this.#ending.signal.aborted; count += 1) {
      const text = `${this.room} ${count}`;
      try {
        await this.#client.mutation(add, { room: this.room, text });
        this.acknowledged.push(text);
      } catch (error) {
        this.refused.push(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const apps: TestApp[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.dispose();
});

function disturbed(): TestApp {
  const app = TestApp.of("disturbed", files);
  apps.push(app);
  return app;
}

/** What happened at each step first: later words of the same step are of what it armed. */
function sequence(faults: readonly Fault[], seed: number, steps: number): unknown[] {
  return Array.from({ length: steps }, (_, index) => {
    const found = faults.find((fault) => fault.seed === seed && fault.step === index + 1);
    if (found === undefined) return `nothing was told of step ${index + 1}`;
    const { fault, object, region, state, details } = found;
    // How long a log is depends on how fast it was written.
    return { step: index + 1, fault, object, region, state, parameters: fault === "trimLog" ? {} : details };
  });
}

/** Lets chaos begin with a seed, or end. */
type SetChaos = (inspector: Inspector, seed: number | null) => Promise<unknown>;

const throughInspector: SetChaos = (inspector, seed) => inspector.ask("chaos", { seed });

/** Plays the first steps of a seed in a new app with two people in it; gives what happened. */
async function played(
  seed: number,
  steps: number,
  app = disturbed(),
  setChaos: SetChaos = throughInspector,
): Promise<unknown[]> {
  const { url } = await app.dev();
  const inspector = new Inspector(app);
  const people = ["a", "b"].map((room) => new Person(url, room));
  try {
    await until("everybody sees their room", () => people.every(({ seen }) => seen !== undefined));
    for (const person of people) person.begin();
    await until("everybody has written", () => people.every(({ acknowledged }) => acknowledged.length > 3));
    await until("the inspector knows the rooms", async () => {
      const sockets = await inspector.ask<{ events: { object: string }[] }>("events?type=socket");
      const commits = await inspector.ask<{ events: { object: string }[] }>("events?type=commit");
      return [sockets, commits].every(({ events }) => new Set(events.map(({ object }) => object)).size === 2);
    });
    await setChaos(inspector, seed);
    await until("the steps are played", async () => (await inspector.step()) > steps);
    await setChaos(inspector, null);
    for (const person of people) await person.stop();
    for (const { room, acknowledged, refused } of people) {
      const stored = ((await call(url, "entries:list", { room })) as Row[]).map(({ text }) => text);
      expect(new Set(stored).size, "a row is stored once").toBe(stored.length);
      expect(stored).toEqual(expect.arrayContaining(acknowledged));
      expect(refused).toEqual([]);
    }
    await until("everybody sees all rows", async () => {
      for (const { room, seen } of people) {
        const stored = (await call(url, "entries:list", { room })) as Row[];
        if (JSON.stringify(seen?.map(({ text }) => text)) !== JSON.stringify(stored.map(({ text }) => text)))
          return false;
      }
      return true;
    });
    return sequence(await inspector.faults(), seed, steps);
  } finally {
    for (const person of people) {
      await person.stop();
      person.close();
    }
  }
}

/** Among its first nine steps is every fault, and both rooms. */
const SEED = 4858;

test("a seed plays the same run twice under writers, and nothing is lost", async () => {
  const [once, again] = await Promise.all([played(SEED, 9), played(SEED, 9)]);
  expect(once).toEqual(again);
  expect(once).toMatchObject(
    [
      ["trimLog", "room=b", "happened", {}],
      ["dropSocket", "room=a", "happened", {}],
      ["cutPoke", "room=b", "armed", { afterFrames: expect.any(Number) as number }],
      ["cutPoke", "room=a", "armed", { afterFrames: expect.any(Number) as number }],
      ["evict", "room=a", "happened", {}],
      ["cutPoke", "room=a", "armed", { afterFrames: expect.any(Number) as number }],
      ["failRegion", undefined, "happened", { ms: expect.any(Number) as number }],
      ["swapFrames", "room=b", "armed", {}],
      ["delayPokes", "room=b", "armed", { ms: expect.any(Number) as number, count: expect.any(Number) as number }],
    ].map(([fault, object, state, parameters], index) => ({ step: index + 1, fault, object, state, parameters })),
  );
}, 180_000);

test("`lunora chaos` on an app that is pinned: nothing is lost, and nothing leaves its region", async () => {
  const app = disturbed();
  app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
  const lunora = async (...commandArguments: string[]): Promise<string> => {
    const program = app.run("lunora", commandArguments);
    expect(await program.ended(), program.output).toBe(0);
    return program.output;
  };
  const steps = await played(SEED, 9, app, async (_, seed) => {
    if (seed === null) {
      expect(await lunora("chaos")).toMatch(new RegExp(`^seed ${SEED} since .*, at step \\d+\\n$`, "m"));
      expect(await lunora("chaos", "--stop")).toContain("nothing goes wrong on purpose");
    } else expect(await lunora("chaos", String(seed))).toContain(`seed ${seed} since`);
  });
  // Each happened in the region, or to it: the same steps as elsewhere, none of them passed over.
  expect(steps).toMatchObject(
    ["trimLog", "dropSocket", "cutPoke", "cutPoke", "evict", "cutPoke", "failRegion", "swapFrames", "delayPokes"].map(
      (fault, index) => ({
        step: index + 1,
        fault,
        region: "eu",
        state: /Poke|swap/.test(fault) ? "armed" : "happened",
      }),
    ),
  );
  const { classes, servers } = JSON.parse(await lunora("residency", "--json")) as {
    classes: { class: string; stored: { region: string | null; objects: number }[] }[];
    servers: { crossings?: { count: number }[] }[];
  };
  const shards = classes.find((one) => one.class === "ShardDO")?.stored ?? [];
  expect(shards.map(({ region, objects }) => [region, objects])).toEqual([["eu", 2]]);
  for (const { stored } of classes) for (const { region } of stored) expect(region).toBe("eu");
  expect(servers.flatMap(({ crossings = [] }) => crossings)).toEqual([]);
}, 180_000);

test("`lunora dev --chaos` begins with its seed and says so, with Vite and without", async () => {
  const begun = async (commandArguments: string[]): Promise<Program> => {
    const app = disturbed();
    const port = await freePort();
    const program = app.run("lunora", ["dev", "--port", String(port), "--chaos", "42", ...commandArguments]);
    await until("the seed is said", () => {
      program.assertRuns();
      return /Chaos:\s+seed 42/.test(program.output);
    });
    const inspector = new Inspector(app);
    await until("a step is told", async () =>
      (await inspector.faults()).some(({ seed, step }) => seed === 42 && step === 1),
    );
    await inspector.ask("chaos", { seed: null });
    await until("the end is said", () => program.output.includes("chaos has ended"));
    return program;
  };
  await Promise.all([begun([]), begun(["--no-vite"])]);
}, 120_000);

test("chaos without an inspector is refused", async () => {
  const app = disturbed();
  app.edit("vite.config.ts", "lunora()", "lunora({ inspector: false, chaos: 7 })");
  const vite = app.run("vite", ["dev", "--port", String(await freePort())]);
  await until("it says why", () => vite.output.includes("chaos was asked for"));
}, 60_000);
