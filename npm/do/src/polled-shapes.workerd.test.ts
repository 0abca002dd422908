import { encodeValue } from "@lunora/protocol";
import { afterAll, beforeAll, inject, it } from "vitest";

import { appEntry, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { Random } from "../testing/random.ts";
import { ShapeOracle } from "../testing/shape-oracle.ts";
import { randomDocument, randomScenario, randomValue, SCENARIO_SHAPES, USERS } from "../testing/shape-scenario.ts";
import type { ScenarioShape } from "../testing/shape-scenario.ts";
import { ShapeViews } from "../testing/shape-view.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

const ROUNDS = 40;

/** What quiet has to bring within, milliseconds; polls are 150 ms apart, and ever further while D1 does not answer. */
const PATIENCE = 20_000;

const seed = inject("seed");
const scenario = randomScenario(new Random(seed), SCENARIO_SHAPES);
const random = new Random(seed + 1);
const oracle = new ShapeOracle(scenario);

interface Client {
  readonly user: string | null;
  readonly views: ShapeViews;
  readonly shapes: ScenarioShape[];
  socket: SocketClient;
  /** Frames of the socket that have been applied. */
  applied: number;
  /** The result of the live query. */
  count: unknown;
}

let worker: TestWorker;
const clients: Client[] = [];

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("polled"),
    namespaces: NAMESPACES,
    d1: true,
    define: { SCENARIO_SEED: String(seed) },
  });
});

afterAll(() => worker?.stop());

async function connect(client: Client): Promise<void> {
  client.views.disconnect();
  client.socket = await SocketClient.connect(
    worker,
    { caps: ["batch"] },
    client.user === null ? {} : { token: client.user },
  );
  client.applied = client.socket.frames.length;
  for (const shape of client.shapes) subscribe(client, shape);
  client.socket.send({ type: "subscribe", id: "count", query: { functionPath: "polled:count", args: {} } });
}

function subscribe({ socket, views }: Client, { name, args }: ScenarioShape): void {
  socket.send({ type: "shape_subscribe", ...views.subscribe(name, { name, args: encodeValue(args) }) });
}

/** Writes to D1, of the root or of another object, in one mutation. */
async function write(isElsewhere: boolean): Promise<void> {
  const steps = Array.from({ length: 1 + random.below(3) }, () => {
    const table = random.pick(scenario.tables);
    const rows = [...oracle.of(table)].filter(([, row]) => row["deletedAt"] === undefined);
    const [id] = rows.length === 0 ? [] : random.pick(rows);
    const action = random.fraction();
    if (id === undefined || rows.length < 4 || (action < 0.35 && rows.length < 20))
      return step("", "insert", table.name, randomDocument(random, table));
    if (action < 0.7) return step("", "patch", table.name, id, { text: randomValue(random, "text") });
    return step("", "replace", table.name, id, randomDocument(random, table));
  });
  if (isElsewhere) await result(worker, "polled:writeRoom", { room: random.pick(["a", "b"]), steps });
  else await result(worker, "polled:write", { steps });
}

async function remove(): Promise<void> {
  const table = random.pick(scenario.tables);
  const [id] = [...oracle.of(table)].flatMap(([found, row]) => (row["deletedAt"] === undefined ? [found] : []));
  if (id === undefined) return;
  oracle.of(table).delete(id);
  await result(worker, "polled:writeRoom", { room: "a", steps: [step("", "delete", table.name, id)] });
}

async function changeMembers(): Promise<void> {
  const [member] = [...oracle.members.keys()];
  const isLess = member !== undefined && random.chance(0.5);
  const change = isLess
    ? step("", "delete", "members", member)
    : step("", "insert", "members", { user: random.pick(["u1", "u2", "u3"]), text: randomValue(random, "text") });
  await result(worker, "polled:write", { steps: [change] });
}

/** Fresh queries of D1 and of the root. */
async function refreshOracle(): Promise<void> {
  const names = ["members", ...scenario.tables.map(({ name }) => name)];
  const options = { includeDeleted: true };
  const found = await result(worker, "polled:read", { steps: names.map((name) => step(name, "findMany", options)) });
  names.forEach((name, index) => {
    const rows = (name === "members" ? oracle.members : oracle.rows.get(name)) as Map<string, Loose>;
    rows.clear();
    for (const row of found[index]) rows.set(row._id, row);
  });
}

function problemOf(client: Client): string | undefined {
  for (const frame of client.socket.frames.slice(client.applied)) {
    if (frame.id === "count") client.count = frame.data ?? frame.error;
    else client.views.apply(frame);
  }
  client.applied = client.socket.frames.length;
  for (const shape of client.shapes) {
    const view = client.views.views.get(shape.name);
    const [rows, content] = [view?.rows ?? [], oracle.contentOf(shape, client.user)].map((map) =>
      JSON.stringify([...map].sort()),
    );
    if (rows !== content || view?.error !== undefined || view?.checkpoint === undefined)
      return `${shape.name} of ${client.user} is ${JSON.stringify(view?.error ?? rows)} instead of ${content}`;
  }
  const live = [...(oracle.rows.get("first")?.values() ?? [])].filter((row) => row["deletedAt"] === undefined).length;
  return client.count === live
    ? undefined
    : `the query of ${client.user} says ${String(client.count)} instead of ${live}`;
}

/** Nobody writes: every view becomes what a fresh query gives. */
async function converge(when: string): Promise<void> {
  await refreshOracle();
  const end = Date.now() + PATIENCE;
  for (;;) {
    const problem = clients.map(problemOf).find((found) => found !== undefined);
    if (problem === undefined) return;
    if (Date.now() > end) throw new Error(`${when}: ${problem}\n${worker.takeOutput()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it("brings every view to what a fresh query of D1 is, over sockets, with writers in several objects", async () => {
  for (const user of USERS)
    clients.push({
      user,
      views: new ShapeViews(),
      shapes: [],
      socket: undefined as Loose,
      applied: 0,
      count: undefined,
    });
  for (const shape of scenario.shapes) {
    const first = random.pick(clients);
    for (const client of clients) if (client === first || random.chance(0.2)) client.shapes.push(shape);
  }
  for (const client of clients) await connect(client);
  await converge("at the start");
  for (let round = 1; round <= ROUNDS; round += 1) {
    await Promise.all([write(false), write(true)]);
    if (random.chance(0.3)) await changeMembers();
    if (random.chance(0.3)) await remove();
    const chance = random.fraction();
    if (chance < 0.1) {
      // The database is away for some polls, while another object writes.
      await inspect(worker, "down", true);
      await write(true);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await inspect(worker, "down", false);
    } else if (chance < 0.2) {
      const client = random.pick(clients);
      client.socket.terminate();
      await client.socket.closed;
      await write(true);
      await connect(client);
    } else if (chance < 0.27) {
      await worker.restart();
      for (const client of clients) await connect(client);
    }
    await converge(`after round ${round}`);
  }
  for (const { socket } of clients) socket.close();
}, 300_000);
