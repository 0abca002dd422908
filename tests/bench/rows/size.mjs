import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { atMost, under } from "../goals.mjs";
import { benchFolder, root } from "../paths.mjs";
import { installPeers } from "../peer-install.mjs";
import { bundleClient, bundleWorker } from "../realtime/bundle.mjs";
import { say } from "../say.mjs";

const convex = "convex/browser";

/** Sizes do not vary: one measurement stands for all. */
const constant = (value) => ({ sample: async () => value });
const gzipped = (code) => gzipSync(code, { level: 9 }).length / 1000;

/** Kilobytes of a page that imports one name from a client. */
const client =
  (name, module, packagesOf) =>
  async ({ directory }) => {
    mkdirSync(directory, { recursive: true });
    const entry = join(directory, "entry.js");
    writeFileSync(entry, `import { ${name} } from "${module}";\nglobalThis.client = ${name};\n`);
    return constant(gzipped(await bundleClient(entry, await packagesOf())));
  };

/**
 * Kilobytes of a worker.
 *
 * @returns {import("../bench.mjs").Open}
 */
const worker = (file) => async () =>
  constant(gzipped(await bundleWorker(join(benchFolder, "realtime", file), { minify: true })));

/** @param {import("../bench.mjs").Bench} bench */
export function addSizeRows(bench) {
  bench.add({
    id: "client-size",
    title: "the client in a page, minified and compressed with gzip",
    unit: "kB",
    better: "lower",
    goals: [under(12, "kB"), atMost(convex, 1)],
    ours: client("LunoraClient", "@lunora/client", async () => root),
    beside: { [convex]: client("ConvexClient", "convex/browser", () => installPeers("clients", say)) },
  });
  bench.add({
    id: "worker-size",
    title: "a worker with a small app, minified and compressed with gzip",
    unit: "kB",
    better: "lower",
    goals: [under(60, "kB")],
    ours: worker("small-worker.ts"),
    // No goals: what an app takes on by what it uses. The first is what code generation writes for the small app.
    beside: {
      "with the admin routes": worker("small-worker-admin.ts"),
      "another app, with shapes and policies": worker("lunora-worker.ts"),
    },
  });
}
