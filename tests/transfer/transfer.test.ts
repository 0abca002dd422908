// `lunora export` and `lunora import` between two workerds: killed, cut off, run twice, and proven by hash.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { proofs, TOKEN, TRANSFER_NAMESPACES } from "../../npm/do/testing/admin-client.ts";
import { appEntry, inspect, result } from "../../npm/do/testing/client.ts";
import type { Loose } from "../../npm/do/testing/loose.ts";
import { Random } from "../../npm/do/testing/random.ts";
import { TestWorker } from "../../npm/do/testing/workerd.ts";
import { command, RunningCommand } from "../support/command.ts";
import type { CommandEnd } from "../support/command.ts";
import { Relay } from "../support/relay.ts";

const ROWS = 100_000;
const KILLS = 50;

const seed = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`LUNORA_SEED=${seed}`);
const random = new Random(seed);

const TABLES = ["things", "people", "messages", "marks"];
const BYTES = 256 * 1024 * 1024;

const workers: TestWorker[] = [];
const relays: Relay[] = [];
let folder: string;

async function start(define: Record<string, string> = {}): Promise<TestWorker> {
  const worker = await TestWorker.start({
    entry: appEntry("transfer"),
    namespaces: TRANSFER_NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
    define,
  });
  workers.push(worker);
  return worker;
}

async function relayTo(worker: TestWorker): Promise<Relay> {
  const relay = await Relay.start(() => worker.origin);
  relays.push(relay);
  return relay;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lunora-transfer-"));
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
  for (const worker of workers.splice(0)) await worker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const env = { LUNORA_ADMIN_TOKEN: TOKEN };
const lunora = (...args: string[]): Promise<CommandEnd> => command(args, { cwd: folder, env });

/** The command's JSON; it has to succeed. */
async function done(...args: string[]): Promise<Loose> {
  const { code, stdout, stderr } = await lunora(...args, "--json");
  expect(code, `${args.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return JSON.parse(stdout) as Loose;
}

/** The code that the command fails with. */
async function refused(...args: string[]): Promise<string> {
  const { code, stdout } = await lunora(...args, "--json");
  expect(code, `${args.join(" ")}\n${stdout}`).not.toBe(0);
  return (JSON.parse(stdout) as Loose).error.code as string;
}

async function fill(worker: TestWorker, rows: number, rooms: number): Promise<void> {
  await result(worker, "t:write", {
    steps: [
      ["insert", "things", { text: "\u2028", n: -0, big: 2n ** 80n, bytes: new Uint8Array([0, 255]).buffer }],
      ["insert", "things", { text: "x".repeat(1_900_000) }],
      ["insert", "people", { email: "ann@example.com" }],
      ["insert", "marks", { name: "root" }],
    ],
  });
  const each = Math.ceil(rows / rooms);
  for (let room = 0; room < rooms; room += 1) {
    for (let left = each; left > 0; left -= 2_000) {
      const steps = [["fill", "messages", Math.min(left, 2_000), { room: `room ${room}`, text: "hello there" }]];
      await result(worker, "t:writeRoom", { room: `room ${room}`, steps });
    }
  }
}

const leftovers = (): string[] => readdirSync(folder).filter((name) => /partial|checkpoint|import|new$/.test(name));

describe("a round trip", () => {
  test("the same rows, receipts, and nothing twice", async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 500, 5);
    const report = await done("export", "--url", source.origin, "--out", "dump.ndjson");
    const expected = await proofs(source, TABLES);
    for (const table of TABLES) {
      const { rows, hash } = report.tables[table];
      expect([rows, hash]).toEqual(expected[table]);
    }
    const receipt = JSON.parse(readFileSync(join(folder, "dump.ndjson.receipt.json"), "utf8")) as Loose;
    expect(receipt).toEqual({
      version: 1,
      sourceJurisdiction: null,
      exportedAt: report.exportedAt,
      url: source.origin,
      production: false,
      tables: report.tables,
      complete: true,
    });
    expect(leftovers()).toEqual([]);
    expect(await refused("export", "--url", source.origin, "--out", "dump.ndjson")).toBe("TRANSFER_OUTPUT_EXISTS");
    const before = readFileSync(join(folder, "dump.ndjson"), "utf8");
    await done("export", "--url", source.origin, "--out", "dump.ndjson", "--force");
    const rowsOf = (text: string): string[] => text.split("\n").filter((line) => line.startsWith('{"table"'));
    expect(rowsOf(readFileSync(join(folder, "dump.ndjson"), "utf8"))).toEqual(rowsOf(before));

    const imported = await done("import", "dump.ndjson", "--url", target.origin);
    expect(imported).toMatchObject({ isProven: true, tables: { messages: report.tables.messages } });
    expect(await proofs(target, TABLES)).toEqual(expected);
    expect(leftovers()).toEqual([]);
    expect(await refused("import", "dump.ndjson", "--url", target.origin)).toBe("IMPORT_TARGET_NOT_EMPTY");
    expect(await proofs(target, TABLES)).toEqual(expected);
    await done("import", "dump.ndjson", "--url", target.origin, "--verify");
    await result(target, "t:write", { steps: [["insert", "marks", { name: "new" }]] });
    const { code, stderr } = await lunora("import", "dump.ndjson", "--url", target.origin, "--verify");
    expect(code).toBe(1);
    expect(stderr).toContain("TRANSFER_PROOF_FAILED");
    expect(stderr).toContain(
      "`marks` (6 rows expected, 7 found)"
        .replace("6", String(report.tables.marks.rows))
        .replace("7", String(report.tables.marks.rows + 1)),
    );
    await done("import", "dump.ndjson", "--url", target.origin, "--replace");
    expect(await proofs(target, TABLES)).toEqual(expected);
    await done("import", "dump.ndjson", "--url", target.origin, "--merge", "--tables", "marks");
  });

  test("only the tables that are asked for", async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 20, 2);
    const report = await done("export", "--url", source.origin, "--out", "d", "--tables", "people,messages");
    expect(Object.keys(report.tables)).toEqual(["messages", "people"]);
    await done("import", "d", "--url", target.origin, "--tables", "people");
    const found = await proofs(target, ["people", "messages"]);
    expect(found["people"]?.[0]).toBe(1);
    expect(found["messages"]).toBeUndefined();
    expect(await refused("export", "--url", source.origin, "--out", "e", "--tables", "nowhere")).toBe("UNKNOWN_TABLE");
    expect(await refused("import", "d", "--url", target.origin, "--tables", "marks")).toBe("TRANSFER_FILE_TRUNCATED");
  });

  test("with `--quiesce` writes are refused until it ends", async () => {
    const source = await start();
    await fill(source, 100, 10);
    const report = await done("export", "--url", source.origin, "--out", "d", "--quiesce");
    expect(report.quiesced).toBe(true);
    await result(source, "t:write", { steps: [["insert", "marks", { name: "after" }]] });
    // Also when it fails.
    writeFileSync(join(folder, "e"), "there already");
    expect(await refused("export", "--url", source.origin, "--out", "e", "--quiesce")).toBe("TRANSFER_OUTPUT_EXISTS");
    await result(source, "t:write", { steps: [["insert", "marks", { name: "after" }]] });
  });

  test("rows at the root move to shards when the schema says so", async () => {
    const source = await start({ MESSAGES_AT_ROOT: "true" });
    const [first, second] = await result(source, "t:write", {
      steps: [
        ["insert", "messages", { room: "red", text: "one" }],
        ["insert", "messages", { room: "b/lue", text: "two" }],
      ],
    });
    await result(source, "t:write", { steps: [["insert", "messages", { room: "red", text: "answer", reply: first }]] });
    await done("export", "--url", source.origin, "--out", "d");
    const target = await start();
    const { rehomed, isProven } = await done("import", "d", "--url", target.origin);
    expect([rehomed, isProven]).toEqual([["messages"], true]);
    const red = await result(target, "t:listRoom", { room: "red", table: "messages" });
    expect(red.map(({ text, reply }: Loose) => [text, reply])).toEqual([
      ["one", undefined],
      ["answer", red[0]._id],
    ]);
    expect(red[0]._id).toBe(`${first}.${Buffer.from("red").toString("base64url")}`);
    const [blue] = await result(target, "t:listRoom", { room: "b/lue", table: "messages" });
    expect(blue._id).toBe(`${second}.${Buffer.from("b/lue").toString("base64url")}`);
    await done("import", "d", "--url", target.origin, "--verify");
  });
});

describe("under fire", () => {
  /** Runs the command until it ends by itself, killing it at random points. Answers how often it was killed. */
  async function killedUntilDone(
    first: string[],
    again: string[],
    span: number,
    isDone: () => Promise<boolean>,
  ): Promise<number> {
    let args = first;
    for (let kills = 0; ; kills += 1) {
      const running = new RunningCommand(args, { cwd: folder, env });
      const timer = kills < KILLS / 2 ? setTimeout(() => running.kill(), 120 + random.below(span)) : undefined;
      const { code, stdout, stderr, memory } = await running.end;
      clearTimeout(timer);
      expect(memory).toBeLessThan(BYTES);
      if (code === 0) return kills;
      if (code !== null) {
        // Killed in the last moment, or before it had written down that there is something to go on with.
        if (await isDone()) return kills;
        expect(stderr + stdout).toContain("TRANSFER_CHECKPOINT_UNUSABLE");
        args = first;
      } else args = again;
    }
  }

  test(`${ROWS} rows with kills at random points are the same rows`, async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, ROWS, 40);
    const expected = await proofs(source, TABLES);
    const out = ["export", "--url", source.origin, "--out", "d"];
    const into = ["import", "d", "--replace", "--url", target.origin];
    let kills = 0;
    for (let round = 0; kills < KILLS || round === 0; round += 1) {
      rmSync(join(folder, "d.receipt.json"), { force: true });
      kills += await killedUntilDone([...out, "--force"], [...out, "--force", "--resume"], 2_000, async () =>
        existsSync(join(folder, "d.receipt.json")),
      );
      kills += await killedUntilDone(into, [...into, "--resume"], 4_000, async () => {
        return (await lunora("import", "d", "--url", target.origin, "--verify")).code === 0;
      });
      expect(await proofs(target, TABLES)).toEqual(expected);
    }
    console.log(`killed ${kills} times`);
    await done("import", "d", "--url", target.origin, "--verify");
    expect(await proofs(target, TABLES)).toEqual(expected);
    expect(leftovers()).toEqual([]);
  }, 1_200_000);

  test("a server that dies, and connections that are cut, in the middle of both ways", async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 15_000, 30);
    const expected = await proofs(source, TABLES);
    for (const [worker, args] of [
      [source, ["export", "--out", "d"]],
      [target, ["import", "d"]],
    ] as const) {
      const relay = await relayTo(worker);
      const running = new RunningCommand([...args, "--url", relay.origin], { cwd: folder, env });
      const state = { hasEnded: false };
      void running.end.then(() => (state.hasEnded = true));
      for (let round = 0; round < 4 && !state.hasEnded; round += 1) {
        await pause(50 + random.below(150));
        if (round % 2 === 0) relay.cut();
        else await worker.restart();
      }
      const { code, stderr } = await running.end;
      expect(code, stderr).toBe(0);
    }
    expect(await proofs(target, TABLES)).toEqual(expected);
  });

  test("a server that stays away: what was read is kept, and gone on with", async () => {
    const source = await start();
    await fill(source, 2_000, 20);
    const relay = await relayTo(source);
    const running = new RunningCommand(["export", "--url", relay.origin, "--out", "d"], { cwd: folder, env });
    while (!existsSync(join(folder, "d.checkpoint"))) await pause(5);
    await source.kill();
    const { code, stderr } = await running.end;
    if (code !== 0) {
      expect(stderr).toContain("NETWORK_FAILED");
      expect(stderr).toContain("--resume");
      expect(existsSync(join(folder, "d"))).toBe(false);
      await source.spawn();
      await done("export", "--url", relay.origin, "--out", "d", "--resume");
    }
    await (source.pid === undefined ? source.spawn() : undefined);
    await done("import", "d", "--url", relay.origin, "--verify");
  });

  test("two at once: one writes the file, one imports", async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 1_000, 10);
    const out = ["export", "--url", source.origin, "--out", "d", "--json"];
    const exports = await Promise.all([lunora(...out), lunora(...out)]);
    expect(exports.map(({ code }) => code).toSorted()).toEqual([0, 1]);
    expect(exports.find(({ code }) => code === 1)?.stdout).toContain("TRANSFER_OUTPUT_EXISTS");
    writeFileSync(join(folder, "copy"), readFileSync(join(folder, "d")));
    const imports = await Promise.all(
      ["d", "copy"].map((name) => lunora("import", name, "--url", target.origin, "--json")),
    );
    const failed = imports.filter(({ code }) => code !== 0);
    expect(failed).toHaveLength(1);
    expect(failed[0]?.stdout).toMatch(/IMPORT_IN_PROGRESS|IMPORT_TARGET_NOT_EMPTY/);
    expect(await proofs(target, TABLES)).toEqual(await proofs(source, TABLES));
  });

  test("a row that is refused: nothing is left of the import", async () => {
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 100, 2);
    await done("export", "--url", source.origin, "--out", "d", "--tables", "messages");
    const lines = readFileSync(join(folder, "d"), "utf8").split("\n");
    // A dump whose rows are whole, and wrong for this app.
    const header = JSON.parse(lines[0] as string) as Loose;
    header.tables.people = { tier: "root", ids: [] };
    const footer = JSON.parse(lines.at(-2) as string) as Loose;
    const person = { _creationTime: 1, _id: "AAAAAAAAAAAAAAAAAAAAAA", email: 5 };
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(person)));
    footer.tables.people = { rows: 1, hash: Buffer.from(digest).toString("hex") };
    footer.lines += 2;
    footer.shards += 1;
    const wrong = [
      JSON.stringify(header),
      ...lines.slice(1, -2),
      '{"kind":"shard","name":"__root__"}',
      JSON.stringify({ table: "people", doc: person }),
      JSON.stringify(footer),
      "",
    ];
    writeFileSync(join(folder, "wrong"), wrong.join("\n"));
    const { code, stdout } = await lunora("import", "wrong", "--url", target.origin, "--json");
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as Loose).error).toMatchObject({ code: "IMPORT_ROW_REFUSED" });
    expect(stdout).toContain(`line ${wrong.length - 2}`);
    expect(leftovers()).toEqual([]);
    expect(await proofs(target, TABLES)).toEqual({});
    await done("import", "d", "--url", target.origin);
  });
});

/** Whether this user may mount a file system of a size. */
const canMount =
  spawnSync("sh", [
    "-c",
    'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s',
  ]).status === 0;

test.skipIf(!canMount)("a disk that is full: what was read is kept, and gone on with", async () => {
  const source = await start();
  await fill(source, 3_000, 3);
  const disk = join(folder, "disk");
  mkdirSync(disk);
  const mount = (...args: string[]): void => expect(spawnSync("mount", [...args, disk]).status).toBe(0);
  mount("-t", "tmpfs", "-o", "size=1m", "tmpfs");
  try {
    const out = ["export", "--url", source.origin, "--out", "disk/d"];
    const { code, stderr } = await lunora(...out);
    expect(code).toBe(1);
    expect(stderr).toContain("error[DISK_FULL]");
    expect(stderr).toContain("--resume");
    expect(existsSync(join(disk, "d"))).toBe(false);
    mount("-o", "remount,size=20m");
    await done(...out, "--resume");
    await done("import", "disk/d", "--url", source.origin, "--verify");
  } finally {
    spawnSync("umount", [disk]);
  }
});

describe("who may, and where", () => {
  test("tokens", async () => {
    const source = await start();
    await fill(source, 4, 1);
    const args = ["export", "--url", source.origin, "--out", "d", "--json"];
    const withToken = (token: string | undefined, ...more: string[]): Promise<CommandEnd> =>
      command([...args, ...more], { cwd: folder, env: token === undefined ? {} : { LUNORA_ADMIN_TOKEN: token } });
    expect((await withToken(undefined)).stdout).toContain("TRANSFER_TOKEN_MISSING");
    expect((await withToken("  ")).stdout).toContain("TRANSFER_TOKEN_MISSING");
    for (const token of [`${TOKEN}x`, TOKEN.slice(1)]) {
      const { stdout, stderr } = await withToken(token);
      expect(stdout).toContain("UNAUTHORIZED");
      expect(stdout + stderr).not.toContain(token);
    }
    expect((await withToken(undefined, "--token-file", "nowhere")).stdout).toContain("FILE_READ_FAILED");
    writeFileSync(join(folder, "token"), `${TOKEN}\n`);
    expect((await withToken(undefined, "--token-file", "token")).code).toBe(0);
    expect(readdirSync(folder).toSorted()).toEqual(["d", "d.receipt.json", "token"]);
  });

  test("addresses, production, and nobody to ask", async () => {
    expect(await refused("export", "--out", "d")).toBe("TRANSFER_TARGET_UNKNOWN");
    expect(await refused("export", "--url", "http://app.example.com", "--out", "d", "--prod")).toBe("BAD_REQUEST");
    expect(await refused("export", "--url", "https://app.example.com", "--out", "d")).toBe("TRANSFER_NOT_CONFIRMED");
    const [source, target] = await Promise.all([start(), start()]);
    await fill(source, 4, 1);
    await done("export", "--url", source.origin, "--prod", "--out", "d");
    expect(await refused("import", "d", "--url", target.origin, "--prod")).toBe("TRANSFER_NOT_CONFIRMED");
    expect(await inspect(target, "sql", "SELECT 1 AS n FROM sqlite_master WHERE name LIKE '%import%'")).toEqual([]);
    await done("import", "d", "--url", target.origin, "--prod", "--yes");
  });

  test("files: none, a folder, one that may not be written", async () => {
    const source = await start();
    await fill(source, 4, 1);
    expect(await refused("import", "nowhere", "--url", source.origin)).toBe("FILE_READ_FAILED");
    expect(await refused("import", ".", "--url", source.origin)).toBe("FILE_READ_FAILED");
    expect(await refused("export", "--url", source.origin, "--out", "no/such/folder/d")).toBe("FILE_WRITE_FAILED");
    expect(await refused("export", "--url", source.origin, "--out", "d", "--resume")).toBe(
      "TRANSFER_CHECKPOINT_UNUSABLE",
    );
    expect(await refused("import", "d", "--url", source.origin, "--resume")).toBe("FILE_READ_FAILED");
    expect(statSync(folder).isDirectory()).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});
