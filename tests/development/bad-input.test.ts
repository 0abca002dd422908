// What people get wrong, while the server runs and before it starts: a coded message that says what unblocks it,
// the server stays up, and nothing that was stored is lost.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import type { Program } from "../support/app.ts";

const schema = `import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  notes: defineTable({ text: v.string() }).index("by_text", ["text"]),
  entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});
`;

const notes = `import { mutation, query, v } from "./_generated/server";

export const list = query.query(({ ctx }) => ctx.db.query("notes").collect());

export const add = mutation
  .input({ text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("notes", { text: args.text }));
`;

function newApp(): TestApp {
  const app = TestApp.copyOf("minimal");
  app.write("lunora/schema.ts", schema);
  app.write("lunora/notes.ts", notes);
  return app;
}

interface Mistake {
  title: string;
  /** Makes it. */
  make: (app: TestApp) => void;
  /** The code that is told. */
  code: string | RegExp;
  /** What the message has to name, so that the reader finds the place and the way out. */
  says: RegExp[];
  /** Undoes what writing the two files above does not. */
  mend?: (app: TestApp) => void;
  /** Where it is not tried: Vite itself ends at start. */
  not?: "starting";
}

const extra = (text: string) => (app: TestApp) => app.write("lunora/extra.ts", text);
const withoutExtra = (app: TestApp): void => rmSync(app.path("lunora/extra.ts"), { force: true });
const helper = `import { query, v } from "./_generated/server";\n`;

const mistakes: Mistake[] = [
  {
    title: "a syntax error",
    make: (app) => app.write("lunora/notes.ts", `${notes}export const more = ;\n`),
    code: "SYNTAX_ERROR",
    says: [/lunora\/notes\.ts:8:21/, /export const more = ;/],
  },
  {
    title: "an export that is there twice",
    make: (app) => app.write("lunora/notes.ts", `${notes}export const list = query.query(() => 1);\n`),
    code: "DUPLICATE_EXPORT",
    says: [/`list`/, /lunora\/notes\.ts:8:14/, /[Rr]ename|[Rr]emove/],
  },
  {
    title: "a file that exports two functions under one name",
    make: extra(
      `${helper}const one = query.query(() => 1);\nconst two = query.query(() => 2);\nexport { one as same };\nexport { two as same };\n`,
    ),
    code: "DUPLICATE_EXPORT",
    says: [/`same`/, /lunora\/extra\.ts:5/],
    mend: withoutExtra,
  },
  {
    title: "an index over a field that is not there",
    make: (app) => app.edit("lunora/schema.ts", `["text"]`, `["texts"]`),
    code: "UNKNOWN_FIELD",
    says: [/`texts`/, /lunora\/schema\.ts:4:/, /`text`/],
  },
  {
    title: "constants that need each other",
    make: (app) => {
      app.write(
        "lunora/extra.ts",
        `import { other } from "./other";\nexport const columns = { text: other };\n${helper}`,
      );
      app.write("lunora/other.ts", `import { columns } from "./extra";\nexport const other = columns.text;\n`);
      app.write(
        "lunora/schema.ts",
        `import { columns } from "./extra";\n${schema.replace("defineTable({ text: v.string() })", "defineTable(columns)")}`,
      );
    },
    code: "CIRCULAR_CONSTANT",
    says: [/lunora\/(extra|other)\.ts/, /[Cc]ircle|[Bb]reak/],
    mend: (app) => {
      withoutExtra(app);
      rmSync(app.path("lunora/other.ts"), { force: true });
    },
  },
  {
    title: "a schema that only running it would tell",
    make: (app) =>
      app.edit("lunora/schema.ts", "defineTable({ text: v.string() })", "defineTable(JSON.parse(columns()))"),
    code: "NOT_STATIC",
    says: [/lunora\/schema\.ts:4:/, /JSON\.parse/],
  },
  {
    title: "a function whose shard cannot be seen",
    make: extra(
      `${helper}import { hidden } from "somewhere";\nexport const all = query.input({ room: v.string() }).query(({ ctx }) => hidden(ctx));\n`,
    ),
    code: "ADDRESS_UNDECIDABLE",
    says: [/lunora\/extra\.ts:3:/, /`\.shard`|\.shard\(/],
    mend: withoutExtra,
  },
  {
    title: "a table named by what runs",
    make: extra(
      `${helper}export const all = query.input({ table: v.string() }).query(({ ctx, args }) => ctx.db.query(args.table as "notes").collect());\n`,
    ),
    code: "TABLE_NOT_STATIC",
    says: [/lunora\/extra\.ts:2:/, /\.shard/],
    mend: withoutExtra,
  },
  {
    title: "a schema file that is gone",
    make: (app) => rmSync(app.path("lunora/schema.ts")),
    code: "SCHEMA_NOT_FOUND",
    says: [/lunora\/schema\.ts/, /defineSchema/],
  },
  {
    title: "a schema file that exports no schema",
    make: (app) => app.write("lunora/schema.ts", "export const nothing = 1;\n"),
    code: "SCHEMA_NOT_FOUND",
    says: [/lunora\/schema\.ts/, /export const schema = defineSchema/],
  },
  {
    title: "an import of a file that is not there",
    make: extra(`${helper}import { nothing } from "./nowhere";\nexport const more = query.query(() => nothing());\n`),
    code: "IMPORT_UNRESOLVED",
    says: [/`\.\/nowhere`/, /lunora\/extra\.ts:2:/, /[Cc]orrect the path/],
    mend: withoutExtra,
  },
  {
    title: "an import of a package that is not installed",
    make: extra(`${helper}import nothing from "not-installed";\nexport const more = query.query(() => nothing());\n`),
    code: "IMPORT_UNRESOLVED",
    says: [/`not-installed`/, /install/, /lunora\/extra\.ts:2:/],
    mend: withoutExtra,
  },
  {
    title: "a source that is not UTF-8",
    make: (app) =>
      writeFileSync(app.path("lunora/extra.ts"), Buffer.from([0x2f, 0x2f, 0x20, 0xff, 0xfe, 0x00, 0xe4, 0x0a])),
    code: "SOURCE_UNREADABLE",
    says: [/`lunora\/extra\.ts`/, /UTF-8/],
    mend: withoutExtra,
  },
  {
    title: "a folder in place of a source",
    make: (app) => {
      rmSync(app.path("lunora/schema.ts"));
      mkdirSync(app.path("lunora/schema.ts"));
    },
    code: "SCHEMA_NOT_FOUND",
    says: [/lunora\/schema\.ts/],
    mend: (app) => rmSync(app.path("lunora/schema.ts"), { recursive: true }),
  },
  {
    title: "a line of `.dev.vars` that says nothing",
    make: (app) => app.write(".dev.vars", "TOKEN=one\nthis is no assignment\n"),
    code: "ENVIRONMENT_SYNTAX",
    says: [/\.dev\.vars:2:/, /NAME=value/],
    mend: (app) => rmSync(app.path(".dev.vars")),
  },
  {
    title: "a wrangler configuration that does not parse",
    make: (app) => app.write("wrangler.jsonc", `{ "name": "x", "compatibility_date": }\n`),
    code: "WRANGLER_SYNTAX",
    says: [/wrangler\.jsonc:1:/],
    mend: (app) => rmSync(app.path("wrangler.jsonc")),
  },
  {
    title: "a compatibility flag that nobody knows",
    make: (app) =>
      app.write(
        "wrangler.jsonc",
        `{ "name": "x", "compatibility_date": "2026-01-01", "compatibility_flags": ["no_such_flag"] }\n`,
      ),
    code: "COMPATIBILITY_FLAG_UNKNOWN",
    says: [/`no_such_flag`/],
    mend: (app) => rmSync(app.path("wrangler.jsonc")),
  },
  {
    title: "a package.json that does not parse",
    make: (app) => app.write("package.json", `{ "name": "playground", }}\n`),
    code: "PACKAGE_JSON_INVALID",
    not: "starting",
    says: [/package\.json:1:/],
  },
  {
    title: "a file in place of `_generated`",
    make: (app) => {
      rmSync(app.path("lunora/_generated"), { recursive: true, force: true, maxRetries: 10 });
      app.write("lunora/_generated", "not a folder\n");
      extra(`${helper}export const more = query.query(() => 1);\n`)(app);
    },
    code: "PATH_NOT_A_DIRECTORY",
    says: [/lunora\/_generated/, /[Mm]ove|[Rr]ename/],
    mend: (app) => {
      rmSync(app.path("lunora/_generated"), { recursive: true, force: true });
      withoutExtra(app);
    },
  },
  {
    title: "a folder in place of a generated file",
    make: (app) => {
      rmSync(app.path("lunora/_generated/api.ts"), { force: true });
      mkdirSync(app.path("lunora/_generated/api.ts"), { recursive: true });
      extra(`${helper}export const more = query.query(() => 1);\n`)(app);
    },
    code: "PATH_NOT_A_FILE",
    says: [/lunora\/_generated\/api\.ts/, /[Mm]ove|[Rr]ename/],
    mend: (app) => {
      rmSync(app.path("lunora/_generated/api.ts"), { recursive: true });
      withoutExtra(app);
    },
  },
  {
    title: "a folder of functions that is gone",
    make: (app) => renameSync(app.path("lunora"), app.path("elsewhere")),
    // While it serves, the first thing missed is the schema in it.
    code: /LUNORA_DIRECTORY_MISSING|SCHEMA_NOT_FOUND/,
    says: [/lunora\/schema\.ts/],
    mend: (app) => {
      if (existsSync(app.path("elsewhere"))) renameSync(app.path("elsewhere"), app.path("lunora"));
    },
  },
];

const packageJson = newPackageJson();

function newPackageJson(): string {
  const app = TestApp.copyOf("minimal");
  const text = app.read("package.json");
  rmSync(app.folder, { recursive: true });
  return text;
}

function mend(app: TestApp, mistake: Mistake): void {
  mistake.mend?.(app);
  if (app.read("package.json") !== packageJson) app.write("package.json", packageJson);
  app.write("lunora/schema.ts", schema);
  app.write("lunora/notes.ts", notes);
}

const texts = async (url: string): Promise<string[]> =>
  ((await call(url, "notes:list")) as { text: string }[]).map(({ text }) => text).sort();

describe("while it serves", () => {
  let app: TestApp;
  let url: string;
  let vite: Program;
  const stored: string[] = [];
  let made: Mistake | undefined;

  beforeAll(async () => {
    app = newApp();
    ({ url, vite } = await app.dev());
  });

  afterAll(async () => {
    await app.dispose();
  });

  // A mistake that was not found must not spoil the next one.
  afterEach(() => {
    if (made !== undefined) mend(app, made);
    made = undefined;
  });

  test.each(mistakes)("$title is $code, and the last good code serves on", async (mistake) => {
    made = mistake;
    const from = vite.output.length;
    const since = (): string => vite.output.slice(from);
    mistake.make(app);
    await until(`${mistake.code} is told`, () => since().search(mistake.code) >= 0).catch((error) => {
      throw new Error(`${mistake.code} was not told:\n${since()}`, { cause: error });
    });
    for (const expression of mistake.says) await until(`${expression}`, () => expression.test(since()));
    stored.push(mistake.title);
    await call(url, "notes:add", { text: mistake.title });
    expect(await texts(url)).toEqual([...stored].sort());

    mend(app, mistake);
    made = undefined;
    await until("all is well again", () => since().includes("all errors are gone")).catch((error) => {
      throw new Error(`no recovery:\n${since()}`, { cause: error });
    });
    expect(await texts(url)).toEqual([...stored].sort());
  });
});

describe("before it starts", () => {
  let app: TestApp;

  afterEach(async () => {
    await app.dispose();
  });

  test.each(mistakes.filter(({ not }) => not !== "starting"))(
    "$title is $code, and mending it is enough",
    async (mistake) => {
      app = newApp();
      mistake.make(app);
      const port = await freePort();
      const url = `http://localhost:${port}`;
      const vite = app.run("vite", ["dev", "--port", String(port), "--strictPort"]);
      await until(`${mistake.code} is told`, () => vite.output.search(mistake.code) >= 0).catch((error) => {
        throw new Error(`${mistake.code} was not told:\n${vite.output}`, { cause: error });
      });
      for (const expression of mistake.says) expect(vite.output).toMatch(expression);
      const refusal = await until("Vite answers", () =>
        fetch(`${url}/_lunora/rpc`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ functionPath: "notes:list", args: {} }),
        }),
      );
      expect(refusal.status).toBe(503);
      expect(await refusal.json()).toMatchObject({
        error: { code: expect.stringMatching(mistake.code), message: expect.any(String) },
      });
      expect((await fetch(url)).status).toBe(200);

      mend(app, mistake);
      await until("it serves", async () => {
        vite.assertRuns();
        await call(url, "notes:add", { text: "first" });
        return true;
      });
      expect(await texts(url)).toContain("first");
    },
  );
});
