import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { MemorySqlite } from "../../testing/memory-sqlite.ts";
import { ClientLedger, createLedgerTables } from "./client-ledger.ts";
import { KEPT_LENGTH, KEPT_RESULTS } from "./push-results.ts";

const NOW = 1_700_000_000_000;
const DAY = 24 * 60 * 60 * 1000;
const client = { userId: "ann", clientId: "c" };

let sqlite: MemorySqlite;
let ledger: ClientLedger;

beforeEach(() => {
  sqlite = new MemorySqlite();
  createLedgerTables(sqlite);
  ledger = new ClientLedger(sqlite);
});

afterEach(() => sqlite.close());

/** Decides entries `from`..`to` in one group; entry n is called `id n`. */
function decide(from: number, to: number, result: unknown = undefined, now = NOW): void {
  for (let seq = from; seq <= to; seq += 1)
    ledger.decide(client, seq, { result: result ?? `result ${seq}` }, { mutationId: `id ${seq}`, functionPath: "a:b" });
  ledger.write(now);
  ledger.settle();
}

/** As after sleep: nothing in memory. */
function reopen(): void {
  createLedgerTables(sqlite);
  ledger = new ClientLedger(sqlite);
}

describe("an entry is known by its mutation id", () => {
  test.each([
    ["in the group that decides it", () => ledger.decide(client, 1, {}, { mutationId: "id 1", functionPath: "a:b" })],
    ["beside the watermark", () => decide(1, 1)],
    ["in rows of their own, when there are many", () => decide(1, 200)],
    [
      "in rows of their own, when later ones came",
      () => {
        decide(1, 200);
        decide(201, 201);
      },
    ],
    [
      "after sleep",
      () => {
        decide(1, 200);
        reopen();
      },
    ],
  ])("%s", (_, prepare) => {
    prepare();
    expect(ledger.named(client, "id 1")).toMatchObject({ functionPath: "a:b" });
    expect(ledger.named(client, "id 0")).toBeUndefined();
    expect(ledger.named({ ...client, clientId: "d" }, "id 1")).toBeUndefined();
    expect(ledger.named({ ...client, userId: null }, "id 1")).toBeUndefined();
  });

  test("without a result as well, and not any more once the client has its result", () => {
    ledger.decide(client, 1, {}, { mutationId: "void", functionPath: "a:b" });
    ledger.write(NOW);
    ledger.settle();
    reopen();
    expect(ledger.named(client, "void")).toEqual({ functionPath: "a:b", text: "{}" });
    ledger.receive(client, 1);
    ledger.decide(client, 2, {});
    ledger.write(NOW);
    ledger.settle();
    expect(ledger.named(client, "void")).toBeUndefined();
  });

  test("in storage from before entries had names", () => {
    const old = new MemorySqlite();
    old.exec(`CREATE TABLE __client_watermark(identity TEXT NOT NULL, client_id TEXT NOT NULL, last_mutation_id INTEGER NOT NULL, recent TEXT NOT NULL, PRIMARY KEY(identity, client_id)) WITHOUT ROWID;
      CREATE TABLE __push_result(identity TEXT NOT NULL, client_id TEXT NOT NULL, client_seq INTEGER NOT NULL, outcome TEXT NOT NULL, ts REAL NOT NULL, PRIMARY KEY(identity, client_id, client_seq)) WITHOUT ROWID`);
    old.exec(`INSERT INTO __client_watermark VALUES('user:ann', 'c', 7, '[[7,"{\\"result\\":7}"]]')`);
    old.exec(`INSERT INTO __push_result VALUES('user:ann', 'c', 6, '{"result":6}', ${NOW})`);
    createLedgerTables(old);
    const later = new ClientLedger(old);
    expect(later.watermark(client)).toBe(7);
    expect([later.outcome(client, 6), later.outcome(client, 7)]).toEqual([
      { text: '{"result":6}' },
      { text: '{"result":7}' },
    ]);
    later.decide(client, 8, {}, { mutationId: "id 8", functionPath: "a:b" });
    later.write(NOW);
    later.settle();
    expect(later.named(client, "id 8")).toBeDefined();
    old.close();
  });

  test("and not when its group was lost", () => {
    ledger.decide(client, 1, {}, { mutationId: "id 1", functionPath: "a:b" });
    ledger.discard();
    expect(ledger.named(client, "id 1")).toBeUndefined();
    expect(ledger.watermark(client)).toBe(0);
  });
});

describe("what is kept is bounded", () => {
  const kept = (): Record<string, unknown> =>
    sqlite.exec("SELECT count(*) AS n, total(length(outcome)) AS length FROM __push_result").toArray()[0] ?? {};

  test("by number", () => {
    for (let seq = 1; seq <= 2_000; seq += 100) decide(seq, seq + 99, "x".repeat(20));
    expect(kept()["n"]).toBeLessThan(KEPT_RESULTS + 200);
    expect(ledger.outcome(client, 2_000)).toEqual({ mutationId: "id 2000", text: `{"result":"${"x".repeat(20)}"}` });
    expect(ledger.outcome(client, 1)).toEqual({ text: "{}" });
  });

  test("by length: the oldest are successes without a result then, and still known by name", () => {
    const long = "x".repeat(900_000);
    for (let seq = 1; seq <= 24; seq += 1) {
      decide(seq, seq, long);
      expect(kept()["length"]).toBeLessThanOrEqual(KEPT_LENGTH);
      if (seq === 12) reopen();
    }
    expect(ledger.outcome(client, 24).text).toHaveLength(long.length + 13);
    expect(ledger.outcome(client, 1)).toEqual({ mutationId: "id 1", text: "{}" });
    expect(ledger.named(client, "id 1")).toEqual({ functionPath: "a:b", text: "{}" });
    expect(ledger.watermark(client)).toBe(24);
  });
});

describe("a client that is not seen any more", () => {
  test("is forgotten, and what it did is not", () => {
    decide(1, 3);
    ledger.decide(
      client,
      4,
      { error: { code: "CONFLICT", message: "no" } },
      { mutationId: "id 4", functionPath: "a:b" },
    );
    ledger.write(NOW);
    ledger.settle();
    expect(ledger.forgetClients(NOW - 1)).toBe(NOW);
    expect(ledger.watermark(client)).toBe(4);
    expect(ledger.forgetClients(NOW)).toBe(Infinity);
    expect(ledger.hasClients).toBe(false);
    for (const step of [() => {}, reopen]) {
      step();
      expect(ledger.watermark(client)).toBe(0);
      expect(["id 1", "id 3", "id 4", "id 5"].map((id) => ledger.isForgotten(client, id))).toEqual([
        true,
        true,
        // It had no effect, and may come again.
        false,
        false,
      ]);
      expect(ledger.isForgotten({ ...client, clientId: "d" }, "id 1")).toBe(false);
    }
  });

  test("leaves nothing when it had said that it has everything", () => {
    decide(1, 3);
    ledger.receive(client, 3);
    decide(4, 4);
    ledger.forgetClients(NOW);
    expect(sqlite.exec("SELECT count(*) AS n FROM __forgotten_entry").toArray()).toEqual([{ n: 1 }]);
    expect(ledger.isForgotten(client, "id 4")).toBe(true);
  });

  test("stays when its entries have no names, or too many are without an answer", () => {
    ledger.decide(client, 1, { result: 1 });
    ledger.write(NOW);
    ledger.settle();
    expect(ledger.forgetClients(NOW + DAY)).toBe(Infinity);
    expect(ledger.watermark(client)).toBe(1);
    ledger.receive(client, 1);
    decide(2, 200);
    expect(ledger.forgetClients(NOW + DAY)).toBe(Infinity);
    expect(ledger.watermark(client)).toBe(200);
  });

  test("is found among many, pass by pass", () => {
    for (let index = 0; index < 2_500; index += 1)
      ledger.decide({ userId: null, clientId: `c${index}` }, 1, {}, { mutationId: "only", functionPath: "a:b" });
    ledger.write(NOW);
    ledger.settle();
    decide(1, 1, "young", NOW + DAY);
    expect([1, 2, 3].map(() => ledger.forgetClients(NOW))).toEqual([undefined, undefined, NOW + DAY]);
    expect(sqlite.exec("SELECT client_id FROM __client_watermark").toArray()).toEqual([{ client_id: "c" }]);
    expect(sqlite.exec("SELECT count(*) AS n FROM __forgotten_entry").toArray()).toEqual([{ n: 2_500 }]);
  });
});
