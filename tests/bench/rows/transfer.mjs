import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cargoExample } from "../cargo-example.mjs";
import { atLeast, under } from "../goals.mjs";
import { benchFolder, root } from "../paths.mjs";
import { ProcessGroup, runToEnd } from "../process-group.mjs";
import { bundleWorker } from "../realtime/bundle.mjs";
import { startWorker } from "../realtime/worker-process.mjs";

const million = 1_000_000;
const shards = 40;
const program = join(root, "npm", "lunorash", "bin", "lunora.mjs");
const files = "SQLite alone on the same files";
const bare = "a bare cursor in each object";
const tenth = "a tenth of the rows";
const token = "a-token-of-the-bench";

let bundle;

async function startServer(directory) {
  bundle ??= bundleWorker(join(benchFolder, "transfer", "transfer-worker.ts"));
  return startWorker({
    directory,
    code: await bundle,
    namespaces: { SHARD: "ShardDO", SHARD_REGISTRY: "ShardRegistryDO" },
  });
}

async function seededServer(directory, rows) {
  const server = await startServer(directory);
  await server.ask("seed", { rows, shards });
  return server;
}

/** Most memory that the process held, MiB; 0 when it has just ended. */
function peakMemory(pid) {
  const [, kibibytes = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}

/** Runs the command to its end and looks at its memory meanwhile. */
async function measured(directory, commandArguments) {
  const started = performance.now();
  const group = new ProcessGroup(process.execPath, [program, ...commandArguments], {
    cwd: directory,
    env: { LUNORA_ADMIN_TOKEN: token },
  });
  let memory = 0;
  const looking = setInterval(() => {
    try {
      memory = Math.max(memory, peakMemory(group.child.pid));
    } catch {
      // It has just ended.
    }
  }, 20);
  try {
    const end = await group.exited;
    if (end.code !== 0) throw group.failure(`Ended with ${end.code ?? end.signal}`);
    return { seconds: (performance.now() - started) / 1000, memory };
  } finally {
    clearInterval(looking);
    await group.stop();
  }
}

/** Rows a second from the command's start to its end, the proof included. */
const exported =
  (rows) =>
  async ({ directory }) => {
    const server = await seededServer(directory, rows);
    return {
      sample: async () => {
        const url = `http://${server.origin}`;
        const { seconds, memory } = await measured(directory, ["export", "--url", url, "--out", "dump", "--force"]);
        return { value: rows / seconds, memory };
      },
      close: () => server.stop(),
    };
  };

/** Rows a second from the command's start to its end, into a server that has other rows after the first time. */
const imported =
  (rows) =>
  async ({ directory }) => {
    const [from, to] = ["source", "target"].map((name) => join(directory, name));
    for (const folder of [from, to]) mkdirSync(folder, { recursive: true });
    const source = await seededServer(from, rows);
    await measured(directory, ["export", "--url", `http://${source.origin}`, "--out", "dump", "--force"]);
    await source.stop();
    const server = await startServer(to);
    return {
      sample: async () => {
        const url = `http://${server.origin}`;
        const { seconds, memory } = await measured(directory, ["import", "dump", "--replace", "--url", url]);
        return { value: rows / seconds, memory };
      },
      close: () => server.stop(),
    };
  };

const dumped =
  (rows) =>
  async ({ directory }) => {
    const server = await seededServer(directory, rows);
    return {
      sample: async () => {
        const started = performance.now();
        const response = await fetch(`http://${server.origin}/bench/dump`, {
          method: "POST",
          body: JSON.stringify({ rows, shards }),
        });
        await pipeline(Readable.fromWeb(response.body), createWriteStream(join(directory, "dump")));
        return { value: rows / ((performance.now() - started) / 1000) };
      },
      close: () => server.stop(),
    };
  };

/** The same files read by SQLite in one process, on disk as ours is when it ends; no pages, no proof, no network. */
const readDirectly =
  (rows) =>
  async ({ directory }) => {
    const dump = await cargoExample("lunora_engine", "dump_databases");
    const server = await seededServer(directory, rows);
    return {
      sample: async () => {
        const started = performance.now();
        const commandArguments = [join(directory, "storage"), "items", join(directory, "dump")];
        const { stdout } = await runToEnd(dump, commandArguments, { cwd: directory });
        if (Number(stdout) !== rows) throw new Error(`SQLite read ${stdout} of ${rows} rows.`);
        return { value: rows / ((performance.now() - started) / 1000) };
      },
      close: () => server.stop(),
    };
  };

const memory = {
  memory: {
    title: "memory of the command at its peak",
    unit: "MiB",
    better: "lower",
    goals: [under(256, "MiB")],
  },
};

/** @param {import("../bench.mjs").Bench} bench */
export function addTransferRows(bench) {
  bench.add({
    id: "transfer",
    title: `rows of ${shards} shards into a file, hashed by both sides`,
    size: million,
    unit: "rows/s",
    better: "higher",
    goals: [atLeast(tenth, 0.8)],
    ours: exported(million),
    beside: { [tenth]: exported(million / 10), [files]: readDirectly(million), [bare]: dumped(million) },
    warmUp: 1,
    also: memory,
  });
  bench.add({
    id: "transfer-import",
    title: `rows of a file into ${shards} shards that they replace`,
    size: million,
    unit: "rows/s",
    better: "higher",
    goals: [atLeast(tenth, 0.8)],
    ours: imported(million),
    beside: { [tenth]: imported(million / 10) },
    warmUp: 1,
    also: memory,
  });
}
