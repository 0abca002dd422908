import { encodeValue } from "@lunora/protocol";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { appEntry, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { Random } from "../testing/random.ts";
import { ShapeOracle } from "../testing/shape-oracle.ts";
import { randomDocument, randomScenario, randomValue, SCENARIO_SHAPES, USERS } from "../testing/shape-scenario.ts";
import type { ScenarioShape } from "../testing/shape-scenario.ts";
import { ShapeViews } from "../testing/shape-view.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

const MUTATIONS = 200;
const CUTS = 50;

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
}

let worker: TestWorker;
let marks = 0;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("shapes"),
    namespaces: NAMESPACES,
    define: { SCENARIO_SEED: String(seed) },
  });
});

afterAll(() => worker?.stop());

const shapeOf = ({ name, args }: ScenarioShape): Loose => ({ name, args: encodeValue(args) });

function open(user: string | null, caps: string[] = []): Promise<SocketClient> {
  return SocketClient.connect(worker, { caps }, user === null ? {} : { token: user });
}

async function start(user: string | null, caps?: string[]): Promise<Client> {
  const socket = await open(user, caps);
  return { user, views: new ShapeViews(), shapes: [], socket, applied: socket.frames.length };
}

function subscribe({ socket, views }: Client, shape: ScenarioShape): void {
  socket.send({ type: "shape_subscribe", ...views.subscribe(shape.name, shapeOf(shape)) });
}

/** Waits until everything sent before has arrived: the answer to a question that is asked last comes last. */
async function settle(client: Client): Promise<Loose[]> {
  const id = `mark ${(marks += 1)}`;
  client.socket.send({ type: "shape_subscribe", id, shape: { name: "no such shape" } });
  const mark = await client.socket.next((frame) => frame.id === id, client.applied);
  expect(mark.error.code).toBe("SHAPE_NOT_FOUND");
  const end = client.socket.frames.indexOf(mark);
  const frames = client.socket.frames.slice(client.applied, end);
  client.applied = end + 1;
  return frames;
}

function contentProblem({ views, user, shapes }: Client): string | undefined {
  for (const shape of shapes) {
    const view = views.views.get(shape.name);
    const content = oracle.contentOf(shape, user);
    if (views.dropped.has(shape.name) || view?.error !== undefined)
      return `${shape.name} was given up: ${JSON.stringify(view?.error)}`;
    const rows = [...(view?.rows ?? [])].sort();
    if (JSON.stringify(rows) !== JSON.stringify([...content].sort()))
      return `${shape.name} of ${user} is ${JSON.stringify(rows)} instead of ${JSON.stringify([...content].sort())}`;
  }
  return undefined;
}

/** One mutation of some steps; the oracle has its rows afterwards. */
async function mutate(): Promise<void> {
  const touched: { table: string; id?: string; at?: number }[] = [];
  const steps = Array.from({ length: 1 + random.below(3) }, (_, at) => {
    if (random.chance(0.15)) {
      const member = [...oracle.members.keys()].find((id) => touched.every((other) => other.id !== id));
      const isLess = member !== undefined && random.chance(0.5);
      touched.push({ table: "members", ...(isLess ? { id: member } : { at }) });
      return isLess
        ? step("", "delete", "members", member)
        : step("", "insert", "members", { user: random.pick(["u1", "u2", "u3"]), text: randomValue(random, "text") });
    }
    const table = random.pick(scenario.tables);
    const taken = new Set(touched.map(({ id }) => id));
    const ids = [...oracle.of(table)].filter(([id, row]) => row["deletedAt"] === undefined && !taken.has(id));
    const [id] = ids.length === 0 ? [] : random.pick(ids);
    const action = random.fraction();
    if (id === undefined || ids.length < 4 || (action < 0.3 && ids.length < 20)) {
      touched.push({ table: table.name, at });
      return step("", "insert", table.name, randomDocument(random, table));
    }
    touched.push({ table: table.name, id });
    if (action < 0.65) {
      const column = random.pick(table.columns);
      return step("", "patch", table.name, id, { [column]: random.chance(0.2) ? null : randomValue(random, column) });
    }
    if (action < 0.8) return step("", "replace", table.name, id, randomDocument(random, table));
    return step("", "delete", table.name, id);
  });
  const results = await result(worker, "shapes:write", { steps });
  const ids = touched.map(({ id, at }) => id ?? (results[at as number] as string));
  const rows = await result(worker, "shapes:read", {
    steps: ids.map((id, index) => step("", "get", (touched[index] as { table: string }).table, id)),
  });
  for (const [index, { table }] of touched.entries()) {
    const [id, row] = [ids[index] as string, rows[index]];
    const known: Map<string, Loose> =
      table === "members" ? (oracle.members as Map<string, Loose>) : (oracle.rows.get(table) as Loose);
    if (row === null) known.delete(id);
    else known.set(id, row);
  }
}

it("keeps every view what a fresh query would be, over sockets", async () => {
  const clients = await Promise.all(USERS.map((user, index) => start(user, index % 2 === 0 ? ["batch"] : [])));
  for (const shape of scenario.shapes) {
    const first = random.pick(clients);
    for (const client of clients) {
      if (client !== first && !random.chance(0.2)) continue;
      client.shapes.push(shape);
      subscribe(client, shape);
    }
  }
  let pokes = 0;
  for (let count = 1; count <= MUTATIONS; count += 1) {
    await mutate();
    for (const client of clients) {
      for (const frame of await settle(client)) client.views.apply(frame);
      expect(contentProblem(client), `after mutation ${count}`).toBeUndefined();
    }
    if (!random.chance(0.05)) continue;
    // Away, while something happens.
    const client = random.pick(clients);
    client.socket.terminate();
    await client.socket.closed;
    client.views.disconnect();
    await mutate();
    client.socket = await open(client.user);
    client.applied = client.socket.frames.length;
    for (const shape of client.shapes) subscribe(client, shape);
  }
  for (const { views, socket } of clients) {
    pokes += views.pokes;
    socket.close();
  }
  expect(pokes).toBeGreaterThan(MUTATIONS);
});

it("shows no part of a poke when the socket is cut, and goes on from there", async () => {
  const client = await start("u1");
  client.shapes.push(...scenario.shapes);
  for (const shape of scenario.shapes) subscribe(client, shape);
  let cuts = 0;
  let partial = 0;
  while (cuts < CUTS) {
    for (const frame of await settle(client)) client.views.apply(frame);
    expect(contentProblem(client), `before cut ${cuts}`).toBeUndefined();
    const before = client.views.copy();
    // The client is gone at some frame of what the mutation brings: later ones are not heard any more.
    const cut = 1 + random.below(6);
    const frames: Loose[] = [];
    const { socket } = client;
    socket.raw.on("message", (data: unknown) => {
      const frame = JSON.parse(String(data)) as Loose;
      if (frame.type !== "error") frames.push(frame);
      if (frames.length >= cut || frame.type === "error") socket.terminate();
    });
    await mutate();
    // Behind everything that the mutation brings, however little that is.
    if (!socket.hasClosed) socket.send({ type: "shape_subscribe", id: "end", shape: { name: "no such shape" } });
    await socket.closed;
    const heard = frames.slice(0, cut);
    for (const frame of heard) client.views.apply(frame);
    const isWhole = heard.some(({ type }) => type === "pokeEnd");
    if (heard.length > 0 && !isWhole) {
      partial += 1;
      for (const [id, view] of before.views) expect(client.views.views.get(id)?.rows).toEqual(view.rows);
    } else if (isWhole) expect(contentProblem(client)).toBeUndefined();
    cuts += 1;
    client.views.disconnect();
    client.socket = await open("u1");
    client.applied = client.socket.frames.length;
    for (const shape of client.shapes) subscribe(client, shape);
  }
  expect(partial).toBeGreaterThan(5);
  for (const frame of await settle(client)) client.views.apply(frame);
  expect(contentProblem(client)).toBeUndefined();
  client.socket.close();
});

it("pokes those that were subscribed before the object slept", async () => {
  const clients = await Promise.all(USERS.map((user) => start(user)));
  for (const client of clients) {
    client.shapes.push(...scenario.shapes);
    for (const shape of scenario.shapes) subscribe(client, shape);
    for (const frame of await settle(client)) client.views.apply(frame);
    expect(contentProblem(client)).toBeUndefined();
  }
  const made = await inspect(worker, "constructed", null);
  // The platform lets an object go ten seconds after the last event.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  for (let count = 0; count < 5; count += 1) {
    await mutate();
    for (const client of clients) {
      const resets = client.views.resets;
      for (const frame of await settle(client)) client.views.apply(frame);
      expect(contentProblem(client), `mutation ${count} after sleep`).toBeUndefined();
      expect(client.views.resets).toBe(resets);
    }
  }
  expect(await inspect(worker, "constructed", null)).toBeGreaterThan(made);
  for (const { socket } of clients) socket.close();
});

it("has the effect of a mutator in the poke that carries its position", async () => {
  const client = await start("u1");
  client.socket.close();
  const socket = await SocketClient.connect(worker, { clientId: "c" }, { token: "u1" });
  const views = new ShapeViews();
  const dependent = scenario.shapes.filter(
    (shape) =>
      JSON.stringify(
        shape.meaning(() => ["a"], "u1"),
        plain,
      ) !==
      JSON.stringify(
        shape.meaning(() => [], "u1"),
        plain,
      ),
  );
  expect(dependent.length).toBeGreaterThan(0);
  for (const shape of dependent)
    socket.send({ type: "shape_subscribe", ...views.subscribe(shape.name, shapeOf(shape)) });
  const ack = await socket.push("c", [
    { clientSeq: 1, functionPath: "mutators:join", args: { user: "u1", text: `new ${seed}` } },
  ]);
  expect(ack.results[0]).toMatchObject({ clientSeq: 1, result: expect.any(String) });
  const at = socket.frames.indexOf(ack);
  const parts = socket.frames.slice(0, at).filter(({ lastMutationId }) => lastMutationId === 1);
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) expect(part.type).toBe("pokePart");
  socket.close();
});

it.each([99, 100, 101, 1_000, 50_000])(
  "carries a mutation of %i rows in frames that are not too long",
  async (count) => {
    const socket = await open(null);
    const views = new ShapeViews();
    const everything = { id: "everything", shape: { name: "everything", args: {} } };
    socket.send({ type: "shape_subscribe", ...views.subscribe(everything.id, everything.shape) });
    await socket.next(({ type }) => type === "pokeEnd");
    const pokes = async (number: number): Promise<void> => {
      while (socket.frames.filter(({ type }) => type === "pokeEnd").length < number)
        await socket.next(({ type }) => type === "pokeEnd", socket.frames.length);
    };
    const rows = (): number => {
      for (const frame of socket.frames.splice(0)) if (frame.type.startsWith("poke")) views.apply(frame);
      return views.views.get(everything.id)?.rows.size as number;
    };
    const before = rows();
    const documents = Array.from({ length: count }, () => ({ text: "r" }));
    await result(worker, "shapes:write", { steps: [step("first", "insertMany", documents)] });
    await pokes(1);
    expect(rows()).toBe(before + count);
    await result(worker, "shapes:write", {
      steps: [step("first", "deleteWhere", { where: { text: "r" } })],
    });
    await pokes(1);
    expect(rows()).toBe(before);
    for (const message of socket.messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_048_576);
    socket.close();
  },
);

const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);
