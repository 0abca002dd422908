// Fifty saves under three clients that never stop writing: nothing acknowledged is lost or doubled, every
// refusal is one a program can read, and a save that does not parse costs nobody anything.
import { afterEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { randomNumbers, seed } from "../support/seed.ts";

const edits = 50;
const writers = 3;

type Edit = "function" | "column" | "break" | "mend";

/** What the sources say at a moment. */
interface Sources {
  version: number;
  hasColumn: boolean;
}

const functionsOf = ({
  version,
  hasColumn,
}: Sources): string => `import { mutation, query, v } from "./_generated/server";

export const version = query.query(() => ${version});

export const list = query.query(({ ctx }) => ctx.db.query("notes").collect());

export const add = mutation
  .input({ text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("notes", { text: args.text${hasColumn ? `, mark: ${version}` : ""} }));
`;

const schemaOf = ({ hasColumn }: Sources): string => `import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  notes: defineTable({ text: v.string()${hasColumn ? ", mark: v.optional(v.number())" : ""} }).index("by_text", ["text"]),
});
`;

const broken = [
  "export const more = ;\n",
  "export const more = query.query(() => {\n",
  'export const more = "never closed\n',
  "}\n",
];

/** A refusal as a program sees it. */
interface Refusal {
  status: number;
  body: string;
}

/** Writes one note after another, each until it is acknowledged, as a client that retries does. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly refusals: Refusal[] = [];
  readonly failures: unknown[] = [];
  #stopping = false;

  constructor(
    private readonly name: string,
    private readonly url: string,
  ) {}

  async run(): Promise<void> {
    for (let turn = 0; !this.#stopping; turn += 1) {
      const text = `${this.name}-${turn}`;
      while (!(await this.#write(text))) {
        // The same mutation id again: it happened once or not at all.
      }
      this.acknowledged.push(text);
    }
  }

  stop(): void {
    this.#stopping = true;
  }

  async #write(text: string): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/_lunora/rpc`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-lunora-mutation-id": text },
        body: JSON.stringify({ functionPath: "notes:add", args: { text } }),
      });
      const body = await response.text();
      if (response.ok) return true;
      this.refusals.push({ status: response.status, body });
    } catch (error) {
      // A connection that broke says nothing that a program could act on.
      this.failures.push(error);
    }
    return false;
  }
}

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test(`${edits} edits under ${writers} writers (LUNORA_SEED=${seed})`, async () => {
  const random = randomNumbers();
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  let good: Sources = { version: 0, hasColumn: false };
  app = TestApp.copyOf("minimal");
  app.write("lunora/notes.ts", functionsOf(good));
  app.write("lunora/schema.ts", schemaOf(good));
  const { url, vite } = await app.dev();

  const crew = Array.from({ length: writers }, (_, index) => new Writer(`writer${index}`, url));
  const running = crew.map((writer) => writer.run());
  const acknowledged = (): number => crew.reduce((sum, writer) => sum + writer.acknowledged.length, 0);
  const faults = (): number => vite.output.split("SYNTAX_ERROR").length - 1;
  const done: Edit[] = [];
  try {
    let isBroken = false;
    for (let round = 0; round < edits; round += 1) {
      const before = acknowledged();
      const edit: Edit = isBroken ? "mend" : pick(["function", "column", "column", "break"] as const);
      done.push(edit);
      if (edit === "break") {
        isBroken = true;
        const known = faults();
        const file = pick(["lunora/notes.ts", "lunora/schema.ts"]);
        app.write(file, `${app.read(file)}\n${pick(broken)}`);
        await until("the syntax error is told", () => faults() > known);
        expect(await call(url, "notes:version")).toBe(good.version);
      } else {
        isBroken = false;
        good = { version: good.version + 1, hasColumn: edit === "column" ? !good.hasColumn : good.hasColumn };
        const files = [
          ["lunora/notes.ts", functionsOf(good)],
          ["lunora/schema.ts", schemaOf(good)],
        ] as const;
        // Editors save in either order.
        for (const [file, text] of random() < 0.5 ? files : [...files].reverse()) app.write(file, text);
        await until(`version ${good.version} is served after ${done.join(", ")}`, async () => {
          const version = await call(url, "notes:version").catch(() => undefined);
          return version === good.version;
        });
      }
      // Whatever the edit was, the writers get on.
      await until(`somebody writes after ${done.join(", ")}`, () => acknowledged() > before);
    }
  } finally {
    for (const writer of crew) writer.stop();
    await Promise.all(running);
  }

  const rows = (await call(url, "notes:list")) as { text: string }[];
  const expected = crew.flatMap((writer) => writer.acknowledged);
  expect(rows.map(({ text }) => text).sort()).toEqual(expected.sort());
  expect(crew.flatMap((writer) => writer.failures)).toEqual([]);
  const uncoded = crew
    .flatMap((writer) => writer.refusals)
    .filter(({ body }) => {
      try {
        const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } };
        return !/^[A-Z][A-Z_]+$/.test(String(error?.code)) || typeof error?.message !== "string";
      } catch {
        return true;
      }
    });
  expect(uncoded).toEqual([]);
  expect(new Set(done)).toEqual(new Set(["function", "column", "break", "mend"]));
});
