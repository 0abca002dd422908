import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { appEntry, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { settled, subscribe, viewOf } from "../testing/query-view.ts";
import { Random } from "../testing/random.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("queries"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const CHANNELS = ["a", "b", "c"];
const NAMES = ["ann", "ben", "cat"];

interface Subscription {
  readonly client: SocketClient;
  readonly token: string | undefined;
  readonly id: string;
  readonly functionPath: string;
  readonly args: object;
}

/** A write over the tables of the app; `ids` are of messages and members. */
function randomStep(random: Random, ids: Record<"messages" | "members" | "users" | "switches", string[]>): Loose {
  const message = (): Loose => ({
    channel: random.pick(CHANNELS),
    author: random.pick(NAMES),
    body: `${random.below(1000)}`,
    ...(ids.users.length > 0 && random.chance(0.5) ? { userId: random.pick(ids.users) } : {}),
    ...(random.chance(0.2) ? { big: 2n ** 70n } : {}),
  });
  const table = random.pick(["messages", "messages", "messages", "members", "users", "switches"] as const);
  const own = ids[table];
  const rows: Record<typeof table, () => Loose> = {
    messages: message,
    members: () => ({ user: random.pick(NAMES), channel: random.pick(CHANNELS) }),
    users: () => ({ name: random.pick(NAMES) }),
    switches: () => ({ name: random.pick(["personal", "broken", "z4", "z5"]) }),
  };
  if (own.length === 0 || random.chance(0.45)) return step(table, "insert", rows[table]());
  const id = random.pick(own);
  if (random.chance(0.5)) return { ...step(table, "patch", id, rows[table]()), id };
  own.splice(own.indexOf(id), 1);
  return step(table, "delete", id);
}

test.each([0, 1, 2])("every view is what its reader would read, after every write (seed + %i)", async (offset) => {
  const random = new Random(inject("seed") + offset);
  await result(worker, "queries:write", {
    steps: ["messages", "members", "switches", "users"].map((table) => step(table, "deleteWhere", { where: {} })),
  });
  const ids = { messages: [], members: [], users: [], switches: [] } as Record<
    "messages" | "members" | "users" | "switches",
    string[]
  >;
  const sockets = await Promise.all(
    [undefined, "ann", "ann", "ben", "cat"].map(async (token, index) => ({
      token,
      client: await SocketClient.connect(
        worker,
        { caps: index % 2 === 0 ? ["pageDelta"] : ["batch"] },
        token === undefined ? {} : { token },
      ),
    })),
  );
  const subscriptions: Subscription[] = [];
  const addSubscription = async (): Promise<void> => {
    const { client, token } = random.pick(sockets);
    const [name, args] = random.pick<[string, object]>([
      ["list", { channel: random.pick(CHANNELS) }],
      ["latest", { channel: random.pick(CHANNELS), count: random.below(4) + 1 }],
      ["page", { numItems: random.below(4) + 1 }],
      ["byBody", {}],
      ["withUser", {}],
      ["nested", { channel: random.pick(CHANNELS) }],
      ["count", { channel: random.pick(CHANNELS) }],
      ["mine", {}],
      ["who", {}],
      ["sometimes", {}],
      ["fails", {}],
      ["sized", { name: "z" }],
      ["visible", {}],
      ["visible", {}],
      ["visibleCount", {}],
      ["visibleOne", { id: ids.messages.length > 0 ? random.pick(ids.messages) : "AAAAAAAAAAAAAAAAAAAAAA" }],
    ]);
    const id = `s${subscriptions.length}`;
    const subscription = { client, token, id, functionPath: `queries:${name}`, args };
    await subscribe(client, id, subscription.functionPath, args);
    subscriptions.push(subscription);
  };
  for (let index = 0; index < 20; index += 1) await addSubscription();
  for (let round = 0; round < 60; round += 1) {
    const steps = Array.from({ length: random.chance(0.7) ? 1 : random.below(5) + 1 }, () => randomStep(random, ids));
    const results: Loose[] = await result(worker, "queries:write", { steps });
    steps.forEach(({ table, method }, index) => {
      if (method === "insert") ids[table as keyof typeof ids].push(results[index]);
    });
    if (random.chance(0.3)) await addSubscription();
    await Promise.all(sockets.map(({ client }) => settled(client)));
    const calls = subscriptions.map(({ functionPath, args }, index) => ({ id: `${index}`, functionPath, args }));
    for (const { client, token } of sockets) {
      const own = calls.filter((_, index) => subscriptions[index]?.client === client);
      const response = await worker.fetch("/_lunora/rpc-batch", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ calls: own }),
      });
      const { results: answers } = (await response.json()) as Loose;
      for (const { id, body } of answers) {
        const { id: name, functionPath } = subscriptions[Number(id)] as Subscription;
        const view = viewOf(client, name);
        const { seen, wanted } = readable(view, body);
        expect({ round, functionPath, token, ...seen }).toEqual({ round, functionPath, token, ...wanted });
      }
    }
  }
  const types = new Set(sockets.flatMap(({ client }) => client.frames.map((frame) => frame.type)));
  expect(types).toContain("delta");
  for (const { client } of sockets) client.close();
});

/** A view and the answer to a call, in forms that can be compared. */
function readable(view: Loose, body: Loose): { seen: object; wanted: object } {
  const wanted = body.error === undefined ? { data: JSON.stringify(body.result) } : { code: body.error.code };
  const seen = view?.error === undefined ? { data: JSON.stringify(view?.wire) } : { code: view.error.code };
  return { seen, wanted };
}
