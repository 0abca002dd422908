import { encodeValue } from "@lunora/protocol";

import type { Loose } from "./loose.ts";
import type { Random } from "./random.ts";
import { canonicalRow, isMember, ShapeOracle } from "./shape-oracle.ts";
import { randomDocument, randomValue, USERS } from "./shape-scenario.ts";
import type { Scenario, ScenarioShape, ScenarioTable } from "./shape-scenario.ts";
import { ShapeViews } from "./shape-view.ts";
import { SimulatedShard } from "./simulated-shard.ts";
import type { SimulatedConnection } from "./simulated-shard.ts";

/** Rows that a table has at most, about. */
const ROWS = 16;

/** One client: a socket, its views, and what they should be. */
export interface SimulatedClient {
  readonly user: string | null;
  readonly views: ShapeViews;
  readonly shapes: ScenarioShape[];
  connection: SimulatedConnection;
}

/** A view and the content it should have, kept up to date row by row. */
interface Expected {
  readonly shape: ScenarioShape;
  readonly user: string | null;
  condition: Loose;
  conditionText: string;
  /** The era that the condition was asked in. */
  era: number;
  content: Map<string, string>;
}

type Step = (db: Loose) => Promise<void>;

/** A random life of a shard with shapes over it, beside an oracle. */
export class ShapeRun {
  readonly random: Random;
  readonly scenario: Scenario;
  readonly shard: SimulatedShard;
  readonly oracle: ShapeOracle;
  readonly clients: SimulatedClient[];
  readonly #expected = new Map<string, Expected>();
  /** How often members have changed. */
  #era = 0;
  /** Ids of rows that the running mutation touches. */
  readonly #touched = new Map<string, Set<string>>();

  constructor(random: Random, scenario: Scenario) {
    this.random = random;
    this.scenario = scenario;
    this.shard = new SimulatedShard(scenario.definition);
    this.oracle = new ShapeOracle(scenario);
    this.clients = USERS.map((user) => ({
      user,
      views: new ShapeViews(),
      shapes: [],
      connection: this.shard.connect(user === null ? null : { userId: user }),
    }));
  }

  /** Every shape for one client at least, some for several. */
  async subscribeAll(): Promise<void> {
    for (const shape of this.scenario.shapes) {
      const first = this.random.pick(this.clients);
      for (const client of this.clients)
        if (client === first || this.random.chance(0.1)) await this.subscribe(client, shape);
    }
  }

  async subscribe(client: SimulatedClient, shape: ScenarioShape): Promise<void> {
    if (!client.shapes.includes(shape)) client.shapes.push(shape);
    const args = encodeValue(shape.args);
    await this.shard.subscribe(client.connection, client.views.subscribe(shape.name, { name: shape.name, args }));
    this.deliver(client);
  }

  /** Everything that was sent, to the end. */
  deliver(client: SimulatedClient): void {
    for (const frame of client.connection.take()) client.views.apply(frame);
  }

  /** Another socket for the same client; its views are resumed. */
  async reconnect(client: SimulatedClient): Promise<void> {
    this.shard.close(client.connection);
    client.views.disconnect();
    client.connection = this.shard.connect(client.connection.identity);
    for (const shape of client.shapes) await this.subscribe(client, shape);
  }

  /** A mutation of one to four steps, or several in a flush; some throw and leave nothing. */
  async mutate(): Promise<void> {
    this.#touched.clear();
    const { random } = this;
    const mutation = (): Step => {
      const steps = Array.from({ length: 1 + random.below(4) }, () => this.#step());
      return async (db) => {
        for (const step of steps) await step(db);
      };
    };
    if (random.chance(0.1)) {
      const failing = mutation();
      await this.shard
        .mutate(async (db) => {
          await failing(db);
          throw new Error("rolled back");
        })
        .catch((error: Error) => {
          if (error.message !== "rolled back") throw error;
        });
      // Nothing has changed, ids that were to be included.
      this.#touched.clear();
    } else await this.shard.group(Array.from({ length: random.chance(0.2) ? 3 : 1 }, mutation));
    await this.#refreshOracle();
  }

  #touch(table: string, id: string): void {
    const ids = this.#touched.get(table);
    if (ids === undefined) this.#touched.set(table, new Set([id]));
    else ids.add(id);
  }

  #step(): Step {
    const { random } = this;
    if (random.chance(0.12)) return this.#memberStep();
    const table = random.pick(this.scenario.tables);
    const document = randomDocument(random, table);
    const action = random.fraction();
    const column = random.pick(table.columns);
    const value = random.chance(0.2) ? null : randomValue(random, column);
    const [chance, isTransient] = [random.fraction(), random.chance(0.1)];
    return async (db) => {
      // Rows of this very mutation are among them, so a row can change several times in it.
      const ids = (await db[table.name].findMany({ select: { _id: true } })).map((row: Loose) => row._id as string);
      const id = ids[Math.floor(chance * ids.length)] as string;
      if (id === undefined || ids.length < 3 || (action < 0.3 && ids.length < ROWS)) {
        const inserted = await db.insert(table.name, document);
        this.#touch(table.name, inserted);
        if (isTransient) await db.delete(table.name, inserted);
        return;
      }
      this.#touch(table.name, id);
      if (action < 0.65) await db.patch(table.name, id, { [column]: value });
      else if (action < 0.8) await db.replace(table.name, id, document);
      else if (table.isSoftDeleted && action < 0.86) await db[table.name].hardDelete(id);
      else await this.#deleteOrRestore(db, table, id, action);
    };
  }

  async #deleteOrRestore(db: Loose, table: ScenarioTable, id: string, action: number): Promise<void> {
    await db.delete(table.name, id);
    if (table.isSoftDeleted && action > 0.95) await db[table.name].restore(id);
  }

  #memberStep(): Step {
    const { random } = this;
    const [user, text] = [random.pick(["u1", "u2", "u3"]), randomValue(random, "text")];
    const isLess = random.chance(0.5);
    return async (db) => {
      const members = await db.members.findMany({ where: { user } });
      const id: string = isLess && members.length > 0 ? members[0]._id : await db.insert("members", { user, text });
      this.#touch("members", id);
      if (id === members[0]?._id) await db.delete("members", id);
    };
  }

  /** Brings the rows that were touched into the oracle. */
  async #refreshOracle(): Promise<void> {
    if (this.#touched.has("members")) this.#era += 1;
    await this.shard.read(async (db) => {
      for (const [table, ids] of this.#touched) {
        const rows: Map<string, Loose> =
          table === "members" ? (this.oracle.members as Map<string, Loose>) : (this.oracle.rows.get(table) as Loose);
        for (const id of ids) {
          const row = await db.get(table, id);
          if (row === null) rows.delete(id);
          else rows.set(id, row);
        }
      }
    });
  }

  /** What a client's view of the shape should be now. */
  contentOf(shape: ScenarioShape, user: string | null): ReadonlyMap<string, string> {
    const key = `${shape.name} ${user}`;
    const known = this.#expected.get(key);
    if (known?.era === this.#era) return known.content;
    const condition = this.oracle.conditionOf(shape, user);
    const conditionText = describe(condition);
    if (known?.conditionText === conditionText) {
      known.era = this.#era;
      return known.content;
    }
    const content = this.oracle.contentOf(shape, user);
    this.#expected.set(key, { shape, user, condition, conditionText, era: this.#era, content });
    return content;
  }

  /** Carries the changes of the last mutation over to what is expected. */
  advance(): void {
    for (const { shape, condition, content } of this.#expected.values()) {
      const rows = this.oracle.of(shape.table);
      for (const id of this.#touched.get(shape.table.name) ?? []) {
        const row = rows.get(id);
        if (isMember(row, condition)) content.set(id, canonicalRow(row as Loose, shape.columns));
        else content.delete(id);
      }
    }
  }

  /** Every view of the client against the oracle. */
  check(client: SimulatedClient, when: string): void {
    for (const shape of client.shapes) {
      const view = client.views.views.get(shape.name);
      const content = this.contentOf(shape, client.user);
      const problem =
        view === undefined
          ? "there is no view"
          : client.views.dropped.has(shape.name)
            ? "the view was dropped"
            : view.error === undefined
              ? differenceOf(view.rows, content)
              : JSON.stringify(view.error);
      if (problem !== undefined)
        throw new Error(
          `${when}: ${shape.name} of ${client.user}: ${problem}\n${describe(this.oracle.conditionOf(shape, client.user))}`,
        );
    }
  }

  /** A fresh query with the shape's condition against the oracle, and so against the view. */
  async checkFresh(shape: ScenarioShape, user: string | null): Promise<void> {
    const where = this.oracle.conditionOf(shape, user);
    const rows: Loose[] =
      where === false ? [] : await this.shard.read((db) => db[shape.table.name].findMany({ where }));
    const fresh = new Map(rows.map((row) => [row._id as string, canonicalRow(row, shape.columns)]));
    const problem = differenceOf(fresh, this.contentOf(shape, user));
    if (problem !== undefined) throw new Error(`a fresh query of ${shape.name}: ${problem}\n${describe(where)}`);
  }
}

function differenceOf(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): string | undefined {
  for (const [id, text] of expected) {
    const other = actual.get(id);
    if (other !== text) return `row ${id} is ${other ?? "missing"} instead of ${text}`;
  }
  if (actual.size === expected.size) return undefined;
  const extra = [...actual].filter(([id]) => !expected.has(id)).map(([, text]) => text);
  return `too many rows: ${extra.join(", ")}`;
}

function describe(where: Loose): string {
  return JSON.stringify(where, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value,
  );
}
