// The playgrounds as they are committed: built, nothing has to change, and the real wrangler takes the result.
import { existsSync, readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { TestApp } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

const quietWrangler = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" };

test.each(["minimal", "chat", "residency", "mail"])(
  "the build of `%s` is what wrangler deploys",
  async (playground) => {
    app = TestApp.copyOf(playground);
    const committed = app.read("wrangler.jsonc");
    const vite = app.run("vite", ["build"]);
    expect(await vite.ended(), vite.output).toBe(0);
    expect(app.read("wrangler.jsonc")).toBe(committed);
    expect(existsSync(app.path("dist/client/index.html"))).toBe(true);

    const wrangler = app.run("wrangler", ["deploy", "--dry-run", "--outdir", app.path("dist/deployed")], quietWrangler);
    expect(await wrangler.ended(), wrangler.output).toBe(0);
    expect(wrangler.output).toContain("env.SHARD (ShardDO)");
    expect(wrangler.output).toContain("env.SHARD_REGISTRY (ShardRegistryDO)");
    expect(wrangler.output).not.toMatch(/warning/i);
    expect(readdirSync(app.path("dist/deployed"))).toContain("worker.js");
  },
);
