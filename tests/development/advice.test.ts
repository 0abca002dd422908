// Advice on what works and will hurt: where it is shown, and how it is silenced.
import { afterEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

const TIMED = "{ text: `${args.text} ${Date.now()}` }";
const SILENCED = "{ text: `${args.text} ${Date.now()}` } /* kept */, // lunora-ignore NOT_DETERMINISTIC: a test\n   ";

async function codegen(): Promise<{ code: number | string; output: string }> {
  const program = app.run("lunora", ["codegen"]);
  const code = await program.ended();
  return { code, output: program.output };
}

test("`lunora codegen` advises with a place and a help, and succeeds; a reason silences it", async () => {
  app = TestApp.copyOf("minimal");
  expect((await codegen()).output).not.toContain("NOT_DETERMINISTIC");
  app.edit("lunora/notes.ts", "{ text: args.text }", TIMED);
  const advised = await codegen();
  expect(advised.code, advised.output).toBe(0);
  expect(advised.output).toMatch(/NOT_DETERMINISTIC/);
  expect(advised.output).toMatch(/`Date\.now\(\)` runs in `notes:add`/);
  expect(advised.output).toContain("lunora/notes.ts:7");
  expect(advised.output).toContain("Use `ctx.now`");
  app.edit("lunora/notes.ts", TIMED, SILENCED);
  const silenced = await codegen();
  expect(silenced.code, silenced.output).toBe(0);
  expect(silenced.output).not.toContain("NOT_DETERMINISTIC");
});

test("`vite dev` shows advice and serves what it is about", async () => {
  app = TestApp.copyOf("minimal");
  const { url, vite } = await app.dev();
  app.edit("lunora/notes.ts", "{ text: args.text }", TIMED);
  await until("the advice is shown", () => vite.output.includes("NOT_DETERMINISTIC"));
  await until("the edit is served", async () => {
    await call(url, "notes:add", { text: "at" });
    const [row] = (await call(url, "notes:list")) as { text: string }[];
    return /^at \d+$/.test(row?.text ?? "");
  });
  expect(vite.output).not.toContain("keeps serving");
});

test("taking a namespace of ours from the environment is advice, and an error in an app that is pinned", async () => {
  app = TestApp.copyOf("minimal");
  app.write(
    "lunora/app.ts",
    `import { defineApp } from "lunorash/server";
export default defineApp({ fetch: (request, env) => (env.SHARD as any).getByName("root").fetch(request) });
`,
  );
  const advised = await codegen();
  expect(advised.code, advised.output).toBe(0);
  expect(advised.output).toMatch(/NAMESPACE_BYPASSED/);
  app.edit("lunora/schema.ts", "\n});", '\n}).jurisdiction("eu");');
  const refused = await codegen();
  expect(refused.code, refused.output).not.toBe(0);
  expect(refused.output).toMatch(/NAMESPACE_BYPASSED/);
  expect(refused.output).toContain("outside `eu`");
});
