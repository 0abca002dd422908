import { initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { encodeValue } from "@lunora/protocol";

import { decodeRow } from "../src/engine/document.ts";
import { globals } from "../src/engine/globals/globals.ts";
import { shaping } from "../src/engine/live/shaping.ts";
import { GlobalShard } from "./global-shard.ts";
import type { GlobalWrite } from "./global-shard.ts";
import type { Loose } from "./loose.ts";
import type { MemoryClient } from "./memory-shard.ts";
import type { Random } from "./random.ts";
import { canonicalRow, isMember, ShapeOracle } from "./shape-oracle.ts";
import { inD1, randomDocument, randomScenario, USERS } from "./shape-scenario.ts";
import type { Groups, Scenario, ScenarioShape } from "./shape-scenario.ts";
import { ShapeViews } from "./shape-view.ts";

/** Rows that a table has at most, about. */
const ROWS = 14;

const { mutation } = initLunora.dataModel<Loose>().create();

const handlers: Record<string, Loose> = {
  join: mutation
    .input({ user: v.string(), text: v.string() })
    .mutation(({ ctx, args }: Loose) => ctx.db.members.insert(args)),
  leave: mutation.input({ user: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    const [member] = await ctx.db.members.findMany({ where: args });
    if (member !== undefined) await ctx.db.members.delete(member._id);
  }),
};

/** The app of a scenario with its tables in D1, and a way to change who is in which group. */
function appOf({ definition }: Scenario): LunoraDefinition {
  return {
    ...inD1(definition),
    functions: Object.fromEntries(
      Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
        `m:${exportName}`,
        { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
      ]),
    ),
    shaping,
    globals,
  };
}

/** A client, its views, and the oldest state of the database that they can all be of. */
export interface GlobalClient {
  readonly user: string | null;
  readonly views: ShapeViews;
  readonly shapes: Set<ScenarioShape>;
  /** Names of the shapes that have been answered since they were last asked for. */
  readonly answered: Set<string>;
  socket: MemoryClient;
  seen: number;
  version: number;
}

type Rows = ReadonlyMap<string, ReadonlyMap<string, Loose>>;

/** A random life of an object with shapes over tables in D1, where others write, beside an oracle. */
export class GlobalRun {
  readonly random: Random;
  readonly scenario: Scenario;
  readonly shard: GlobalShard;
  readonly oracle: ShapeOracle;
  readonly clients: GlobalClient[];
  /** Every state that the database has had. */
  readonly #versions: Rows[] = [];
  readonly #fixed = new Map<string, boolean>();
  #ringing: Promise<unknown> = Promise.resolve();
  #isBad = false;
  /** Changes were lost: until all is quiet a view may be of no one moment. */
  #isTorn = false;
  #ids = 0;
  /** Alarms that rang, subscriptions that were refused, states that were told apart. */
  readonly counts = { alarms: 0, refused: 0, states: 0, moves: 0 };

  private constructor(random: Random, scenario: Scenario, shard: GlobalShard) {
    this.random = random;
    this.scenario = scenario;
    this.shard = shard;
    this.oracle = new ShapeOracle(scenario);
    this.clients = USERS.map((user) => ({
      user,
      views: new ShapeViews(),
      shapes: new Set(),
      answered: new Set(),
      socket: shard.connect(undefined, user === null ? null : { userId: user }),
      seen: 0,
      version: 0,
    }));
    this.#remember();
  }

  static async start(random: Random, shapes: number): Promise<GlobalRun> {
    const scenario = randomScenario(random, shapes);
    const shard = await GlobalShard.start(appOf(scenario));
    // Its tables are made when somebody first asks; until then nobody can write there either.
    const client = shard.connect();
    const [shape] = scenario.shapes;
    client.send({ type: "shape_subscribe", id: "first", shape: { name: shape?.name, args: encodeValue(shape?.args) } });
    await shard.settle();
    client.disconnect();
    const run = new GlobalRun(random, scenario, shard);
    shard.d1.fate = () => run.#fate();
    return run;
  }

  #fate(): ReturnType<GlobalShard["d1"]["fate"]> {
    const { random } = this;
    const most = random.chance(0.1) ? 40 : 4;
    const [there, back] = [random.below(most), random.below(most)];
    if (!this.#isBad || random.chance(0.5)) return { there, back };
    return { there, back, isLost: random.chance(0.5) ? "there" : "back" };
  }

  /** One random thing happens. */
  async step(): Promise<void> {
    const { random } = this;
    const chance = random.fraction();
    if (chance < 0.4) this.#write();
    else if (chance < 0.5) await this.#changeMembers();
    else if (chance < 0.65) this.#ring();
    else if (chance < 0.8) this.#subscribe(random.pick(this.clients), random.pick(this.scenario.shapes));
    else if (chance < 0.83) this.#leave(random.pick(this.clients));
    else if (chance < 0.86) this.#reconnect(random.pick(this.clients));
    else if (chance < 0.88) await (random.chance(0.5) ? this.#evict() : this.#crash());
    else if (chance < 0.9) this.shard.engine.log.trim(Math.max(1, this.shard.engine.log.head - random.below(20)));
    else if (chance < 0.91) this.#forgetChanges();
    else if (chance < 0.95) this.#isBad = random.chance(0.4);
    for (let turn = random.below(6); turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
    for (const client of this.clients) this.#deliver(client);
  }

  #write(): void {
    const { random } = this;
    const writes: GlobalWrite[] = [];
    for (let count = 1 + random.below(4); count > 0; count -= 1) {
      const table = random.pick(this.scenario.tables);
      const rows = this.oracle.rows.get(table.name) as Map<string, Loose>;
      const isNew = rows.size < 3 || (rows.size < ROWS && random.chance(0.3));
      const id = isNew ? `row${(this.#ids += 1)}`.padEnd(22, "A") : random.pick([...rows.keys()]);
      const isGone = !isNew && random.chance(0.25);
      const marks = table.isSoftDeleted && random.chance(0.15) ? { deletedAt: 1 } : {};
      const document = isGone ? undefined : { ...randomDocument(random, table), ...marks };
      const creationTime = rows.get(id)?._creationTime ?? this.shard.now + (this.#ids % 1_000) / 1024;
      writes.push({ table: table.name, id, document, creationTime });
      if (isGone) rows.delete(id);
      else rows.set(id, { _creationTime: creationTime });
    }
    this.shard.write(writes);
    for (const { name } of this.scenario.tables) {
      const rows = this.oracle.rows.get(name) as Map<string, Loose>;
      rows.clear();
      for (const row of this.shard.rows(name)) rows.set(row.id, decodeRow(this.shard.schema.table(name), row));
    }
    this.#remember();
  }

  #remember(): void {
    this.#versions.push(new Map(Array.from(this.oracle.rows, ([name, rows]) => [name, new Map(rows)])));
  }

  async #changeMembers(): Promise<void> {
    const { random } = this;
    const user = random.pick(["u1", "u2", "u3"]);
    const text = random.pick(["", "a", "b", "c", "ä", "z"]);
    await (random.chance(0.5) ? this.shard.call("m:join", { user, text }) : this.shard.call("m:leave", { user }));
    const members = this.oracle.members as Map<string, Loose>;
    members.clear();
    const table = this.shard.schema.table("members");
    // In their order, as they are read.
    const rows = this.shard.sqlite.exec("SELECT id, _creationTime, doc, keys FROM members ORDER BY _creationTime, id");
    for (const { id, _creationTime, doc, keys } of rows.toArray() as Loose[])
      members.set(id, decodeRow(table, { id, creationTime: _creationTime, doc, keys }));
    this.counts.moves += 1;
  }

  #ring(): void {
    this.#ringing = this.#ringing.then(async () => {
      this.counts.alarms += (await this.shard.ring()) ? 1 : 0;
    });
  }

  #subscribe(client: GlobalClient, shape: ScenarioShape): void {
    client.shapes.add(shape);
    client.answered.delete(shape.name);
    const args = encodeValue(shape.args);
    client.socket.send({ type: "shape_subscribe", ...client.views.subscribe(shape.name, { name: shape.name, args }) });
  }

  #leave(client: GlobalClient): void {
    if (client.shapes.size === 0) return;
    const shape = this.random.pick([...client.shapes]);
    client.shapes.delete(shape);
    client.socket.send({ type: "shape_unsubscribe", id: shape.name });
  }

  #reconnect(client: GlobalClient): void {
    this.#deliver(client);
    client.socket.disconnect();
    this.#connect(client);
  }

  #connect(client: GlobalClient): void {
    client.views.disconnect();
    client.socket = this.shard.connect(undefined, client.user === null ? null : { userId: client.user });
    client.seen = 0;
    for (const shape of client.shapes) this.#subscribe(client, shape);
  }

  /** Its memory is gone, and with it what was on its way from the database. */
  async #evict(): Promise<void> {
    await this.#ringing;
    // It does not fall asleep in the middle of a turn, nor before what was asked of it is kept; what is read of the database
    // may be on its way.
    for (let round = 0; round < 3; round += 1) {
      await this.shard.settle();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await this.shard.sleep(() => {
      // Those that waited for their rows when they were last kept are filled anew, one after the other.
      for (const client of this.clients) {
        this.#deliver(client);
        client.answered.clear();
      }
    });
    await this.shard.settle();
  }

  /** The process ends, and its sockets with it. The alarm may ring before anybody is back. */
  async #crash(): Promise<void> {
    for (const client of this.clients) {
      this.#deliver(client);
      client.socket.disconnect();
    }
    await this.#evict();
    if (this.random.chance(0.5)) await this.shard.ring();
    for (const client of this.clients) this.#connect(client);
  }

  #forgetChanges(): void {
    this.#isTorn = true;
    const text = "DELETE FROM __lunora_changes WHERE seq < (SELECT max(seq) FROM __lunora_changes) - ?";
    this.shard.d1.run([{ text, bindings: [this.random.below(3)] }]);
  }

  #deliver(client: GlobalClient): void {
    const { frames } = client.socket;
    const news = frames.slice(client.seen);
    client.seen = frames.length;
    for (const frame of news) {
      if (frame.type === "ack") continue;
      if (frame.type === "error") this.counts.refused += 1;
      if (frame.type === "pokePart") client.answered.add(frame.shapeId);
      client.views.apply(frame);
      if (frame.type === "pokeEnd") this.#checkMoment(client);
    }
  }

  /** Views whose conditions are made from nothing that changes are, together, a state that the database had, and no older one than before. */
  #checkMoment(client: GlobalClient): void {
    if (this.#isTorn) return;
    const fixed = [...client.shapes].filter(
      (shape) =>
        this.#isFixed(shape, client.user) &&
        client.answered.has(shape.name) &&
        client.views.views.get(shape.name)?.checkpoint !== undefined,
    );
    for (; client.version < this.#versions.length; client.version += 1) {
      const rows = this.#versions[client.version] as Rows;
      if (
        fixed.every((shape) =>
          isSame(client.views.views.get(shape.name)?.rows, this.#content(shape, client.user, rows)),
        )
      ) {
        this.counts.states += 1;
        return;
      }
    }
    throw new Error(
      `the views ${fixed.map(({ name }) => name).join(", ")} of ${client.user} are of no state of the database`,
    );
  }

  /** Whether who is in which group makes no difference to the condition. */
  #isFixed(shape: ScenarioShape, user: string | null): boolean {
    const key = `${shape.name} ${user}`;
    let isFixed = this.#fixed.get(key);
    if (isFixed === undefined) {
      const meanings = [[], ["x"], ["x", "y", "z"]].map((texts): string =>
        describe(shape.meaning((() => texts) as Groups, user)),
      );
      isFixed = new Set(meanings).size === 1;
      this.#fixed.set(key, isFixed);
    }
    return isFixed;
  }

  #content(shape: ScenarioShape, user: string | null, rows: Rows): ReadonlyMap<string, string> {
    const where = this.oracle.conditionOf(shape, user);
    const found = new Map<string, string>();
    for (const [id, row] of rows.get(shape.table.name) ?? [])
      if (isMember(row, where)) found.set(id, canonicalRow(row, shape.columns));
    return found;
  }

  /** The database answers, nobody writes, the alarm rings: then every view is what a fresh query of the database gives. */
  async quiesce(): Promise<void> {
    this.#isBad = false;
    await this.#ringing;
    for (let round = 0; round < 2; round += 1) {
      // The alarm is that of others as well, and looks may have become as rare as one a minute.
      for (const end = this.shard.now + 130_000; this.shard.now < end;) {
        if (!(await this.shard.ring())) break;
        for (let turn = 0; turn < 4; turn += 1) await this.shard.settle();
      }
      for (const client of this.clients) {
        this.#deliver(client);
        for (const shape of client.shapes) {
          const view = client.views.views.get(shape.name);
          if (view?.error === undefined && !client.views.dropped.has(shape.name)) continue;
          if (view !== undefined) view.error = undefined;
          this.#subscribe(client, shape);
        }
      }
      for (let turn = 0; turn < 4; turn += 1) await this.shard.settle();
    }
    for (const client of this.clients) {
      this.#deliver(client);
      for (const shape of client.shapes) this.#check(client, shape);
      client.version = this.#versions.length - 1;
    }
    this.#isTorn = false;
  }

  #check(client: GlobalClient, shape: ScenarioShape): void {
    const view = client.views.views.get(shape.name);
    const content = this.oracle.contentOf(shape, client.user);
    if (view?.error === undefined && view?.checkpoint !== undefined && isSame(view.rows, content)) return;
    throw new Error(
      `${shape.name} of ${client.user}: ${JSON.stringify(view?.error ?? [...(view?.rows.values() ?? [])])} instead of ${JSON.stringify([...content.values()])}\n${describe(this.oracle.conditionOf(shape, client.user))}`,
    );
  }

  async stop(): Promise<void> {
    await this.shard.settle();
    this.shard.stop();
  }
}

function isSame(actual: ReadonlyMap<string, string> | undefined, expected: ReadonlyMap<string, string>): boolean {
  if (actual?.size !== expected.size) return false;
  for (const [id, text] of expected) if (actual.get(id) !== text) return false;
  return true;
}

function describe(where: Loose): string {
  return JSON.stringify(where, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value,
  );
}
