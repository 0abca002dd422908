// `lunora migrate` against a real workerd: what runs, what is said, what it ends with.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TOKEN } from "../../npm/do/testing/admin-client.ts";
import { appEntry, inspect, NAMESPACES, result } from "../../npm/do/testing/client.ts";
import type { Loose } from "../../npm/do/testing/loose.ts";
import { Random } from "../../npm/do/testing/random.ts";
import { TestWorker } from "../../npm/do/testing/workerd.ts";
import { command, RunningCommand } from "../support/command.ts";
import type { CommandEnd } from "../support/command.ts";
import { Relay } from "../support/relay.ts";

const seed = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`LUNORA_SEED=${seed}`);
const random = new Random(seed);

const ROOMS = ["red", "b/lue"];
const MIGRATIONS = [
  "1-count",
  "2-wrong",
  "3-messages",
  "4-marks",
  "5-world",
  "6-keep",
  "6-rename",
  "7-same",
  "8-pair",
  "9-after",
];

let worker: TestWorker;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lunora-migrate-"));
});
beforeEach(async () => {
  await worker?.stop();
  worker = await TestWorker.start({
    entry: appEntry("migrations"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
});
afterAll(async () => {
  await worker?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const env = { LUNORA_ADMIN_TOKEN: TOKEN };
const migrate = (...args: string[]): Promise<CommandEnd> =>
  command(["migrate", ...args, "--url", worker.origin], { cwd: folder, env });
const write = (...steps: Loose[]): Promise<Loose[]> => result(worker, "t:write", { steps });
const counts = async (): Promise<Loose[]> =>
  inspect(worker, "sql", "SELECT doc ->> 'n' AS n, count(*) AS rows FROM things GROUP BY n");

/** The command's JSON, and how it ended. */
async function asked(...args: string[]): Promise<{ code: number | null; json: Loose; stderr: string }> {
  const { code, stdout, stderr } = await migrate(...args, "--json");
  return { code, json: JSON.parse(stdout) as Loose, stderr };
}

test("up, status and down, as text and as JSON", async () => {
  await write(["fill", "things", 500, { text: "x" }]);
  for (const room of ROOMS)
    await result(worker, "t:writeRoom", { room, steps: [["fill", "messages", 4, { room, text: "a" }]] });

  const before = await asked("status");
  expect(before).toMatchObject({ code: 0, json: { url: worker.origin, shards: 3, failures: [] } });
  expect(before.json.migrations.map(({ id }: Loose) => id)).toEqual(MIGRATIONS);
  expect(before.json.migrations[2]).toEqual({
    id: "3-messages",
    table: "messages",
    hasDown: true,
    isGlobal: false,
    pending: 2,
    partial: 0,
    applied: 0,
    failed: 0,
  });

  const rehearsed = await migrate("up", "--table", "things", "--dry-run");
  expect(rehearsed).toMatchObject({ code: 0 });
  expect(rehearsed.stdout).toBe(
    "✓ 1-count would change 500 of 500 rows of `things` in 1 shard\n  Not run, since it has to see what the one before makes: 9-after\n  Nothing was written.\n",
  );
  expect(await counts()).toEqual([{ n: null, rows: 500 }]);

  const up = await migrate("up", "--table", "things", "--batch-size", "10");
  expect(up).toMatchObject({ code: 0 });
  expect(up.stdout).toBe(
    "✓ 1-count changed 500 of 500 rows of `things` in 1 shard\n✓ 9-after changed 0 of 500 rows of `things` in 1 shard\n",
  );
  expect(await counts()).toEqual([{ n: 1, rows: 500 }]);
  expect((await migrate("up", "--table", "things")).stdout).toBe(`✓ nothing is left to run on ${worker.origin}\n`);

  expect(await asked("up", "--table", "messages", "--steps", "1")).toMatchObject({
    code: 0,
    json: {
      direction: "up",
      dryRun: false,
      ran: [{ id: "3-messages", table: "messages", total: { shards: 2, rows: 8, changed: 8, failed: 0 } }],
      notRun: [],
    },
  });
  const status = await migrate("status");
  expect(status.stdout).toContain("1-count     things    applied in 1\n");
  expect(status.stdout).toContain("3-messages  messages  applied in 2\n");
  expect(status.stdout).toContain("5-world     world     cannot run");

  // The last first, one unless told otherwise.
  expect((await asked("down", "--table", "things")).json.ran.map(({ id }: Loose) => id)).toEqual(["9-after"]);
  expect((await asked("down", "--table", "things")).json.ran.map(({ id }: Loose) => id)).toEqual(["1-count"]);
  expect(await counts()).toEqual([{ n: 0, rows: 500 }]);
  expect((await migrate("down", "--table", "things")).stdout).toContain("nothing is there to take back");
});

test("a row that stops it is named, nothing after it runs, and the command has failed", async () => {
  const [id] = await write(["insert", "olds", { text: "x" }], ["insert", "things", { text: "x" }]);
  expect(id).toBeTypeOf("string");
  const [bad] = await write(["insert", "odds", { text: "throws" }]);
  const stopped = await asked("up", "--steps", "2");
  expect(stopped).toMatchObject({
    code: 1,
    json: {
      ran: [
        { id: "1-count", total: { failed: 0, changed: 1 } },
        { id: "2-wrong", total: { failed: 1, failures: [{ shard: "__root__", code: "MIGRATION_FAILED", id: bad }] } },
      ],
      notRun: [],
    },
  });
  const text = await migrate("up", "--table", "odds");
  expect(text.code).toBe(1);
  expect(text.stdout).toContain("✗ 2-wrong changed 0 of 0 rows of `odds` in 1 shard\n  1 shard stopped:\n");
  expect(text.stdout).toContain(`(row \`${bad}\`)`);
  expect((await migrate("status", "--table", "odds")).stdout).toContain("stopped in 1\n    2-wrong, `__root__`");
  await write(["patch", "odds", bad, { text: "good" }]);
  expect(await migrate("up", "--table", "odds")).toMatchObject({ code: 0 });
});

describe("refused", () => {
  test("with a code, before anything runs", async () => {
    await write(["insert", "things", { text: "x" }], ["insert", "odds", { text: "x" }]);
    const refusal = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, json } = await asked(...args);
      return [code, json.error.code as string];
    };
    expect(await refusal("up")).toEqual([2, "NOT_IMPLEMENTED"]);
    expect(await refusal("up", "--table", "nothing")).toEqual([2, "UNKNOWN_TABLE"]);
    expect(await counts()).toEqual([{ n: null, rows: 1 }]);
    await asked("up", "--table", "odds");
    expect(await refusal("down", "--table", "odds")).toEqual([2, "MIGRATION_IRREVERSIBLE"]);
    // Production is asked about, and nobody is there to answer.
    expect(await refusal("up", "--table", "things", "--prod")).toEqual([2, "TRANSFER_NOT_CONFIRMED"]);
    expect(await asked("up", "--table", "things", "--prod", "--dry-run")).toMatchObject({ code: 0 });
    expect(await counts()).toEqual([{ n: null, rows: 1 }]);
    expect(await asked("up", "--table", "things", "--prod", "--yes")).toMatchObject({ code: 0 });
    expect(await counts()).toEqual([{ n: 1, rows: 1 }]);
    for (const wrong of [["--steps", "0"], ["--batch-size", "1001"], ["--steps", "x"], ["sideways"]])
      expect((await migrate("up", ...wrong)).code).toBe(2);
  });

  test("without a token, with another one, and elsewhere without `--prod`", async () => {
    const code = async (args: string[], more: Record<string, string>): Promise<string> => {
      const { stdout } = await command(["migrate", "status", ...args, "--json"], { cwd: folder, env: more });
      return (JSON.parse(stdout) as Loose).error.code as string;
    };
    const here = ["--url", worker.origin];
    expect(await code(here, {})).toBe("TRANSFER_TOKEN_MISSING");
    expect(await code(here, { LUNORA_ADMIN_TOKEN: `${TOKEN.slice(0, -1)}x` })).toBe("UNAUTHORIZED");
    expect(await code([], env)).toBe("TRANSFER_TARGET_UNKNOWN");
    expect(await code(["--url", "https://app.example.com"], env)).toBe("TRANSFER_NOT_CONFIRMED");
    writeFileSync(join(folder, "token"), `${TOKEN}\n`);
    const { code: ended } = await command(["migrate", "status", ...here, "--token-file", "token"], { cwd: folder });
    expect(ended).toBe(0);
  });
});

/** A run of one migration, in transactions of so few rows that it takes its time. */
function slowRun(url: string): RunningCommand {
  const args = ["migrate", "up", "--table", "things", "--steps", "1", "--batch-size", "2", "--url", url];
  return new RunningCommand(args, { cwd: folder, env });
}

async function isUnderWay(): Promise<boolean> {
  const state = "SELECT 1 FROM __lunora_migrations WHERE place NOT IN ('start', 'end')";
  const [row] = await inspect(worker, "sql", state).catch(() => []);
  return row !== undefined;
}

test("the server dies under it and comes back: it goes on", async () => {
  await write(["fill", "things", 2_000, { text: "x", n: 0 }]);
  const relay = await Relay.start(() => worker.origin);
  const running = slowRun(relay.origin);
  while (!(await isUnderWay())) await pause(5);
  for (let times = 0; times < 3; times += 1) {
    await pause(random.below(200));
    await worker.restart();
  }
  const { code, stderr } = await running.end;
  expect(code, stderr).toBe(0);
  expect(await counts()).toEqual([{ n: 1, rows: 2_000 }]);
  await relay.stop();
});

test("the command is killed: the next one waits its turn and goes on", async () => {
  await write(["fill", "things", 10_000, { text: "x", n: 0 }]);
  const killed = slowRun(worker.origin);
  while (!(await isUnderWay())) await pause(5);
  const second = await asked("up", "--table", "things", "--steps", "1");
  killed.kill();
  await killed.end;
  expect(second).toMatchObject({ code: 1, json: { error: { code: "MIGRATION_IN_PROGRESS" } } });
  // Whoever was killed is waited for no longer than a minute.
  let last = second;
  while (last.json.error?.code === "MIGRATION_IN_PROGRESS") {
    await pause(2_000);
    last = await asked("up", "--table", "things", "--steps", "1");
  }
  expect(last).toMatchObject({ code: 0 });
  expect(await counts()).toEqual([{ n: 1, rows: 10_000 }]);
});
