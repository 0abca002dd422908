import { describe, expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { BrowserProfile } from "../testing/browser-profile.ts";
import { add, count, fail, inChannel, list, mine, put, SHARD } from "../testing/functions.ts";
import { LunoraClient } from "./index.ts";
import type { SettledMutation } from "./index.ts";
import { MAX_ENTRY_BYTES } from "./outbox.ts";
import type { Row } from "../testing/reference-shard.ts";
import { settle } from "../testing/virtual-clock.ts";
import { World } from "../testing/world.ts";

const tags = (rows: readonly Row[] | undefined): string[] | undefined => rows?.map(({ tag }) => tag);

describe("a live query", () => {
  it("loads, follows changes of others, and is shared", async () => {
    const world = new World(seed);
    const [ada, bob] = [world.open("ada"), world.open("bob")];
    const view = ada.client.liveQuery(list, { channel: "a" });
    expect(ada.client.liveQuery(list, { channel: "a" })).toBe(view);
    expect(view.getSnapshot()).toEqual({ status: "loading", isOptimistic: false });
    const seen: unknown[] = [];
    const stop = view.subscribe(() => seen.push(tags(view.getSnapshot().data)));
    await world.deliver();
    expect(view.getSnapshot()).toEqual({ status: "live", data: [], isOptimistic: false });
    const sent = bob.client.mutation(add, { channel: "a", tag: "t1", author: "bob" });
    await world.deliver();
    await expect(sent).resolves.toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(seen).toEqual([[], ["t1"]]);
    stop();
    await world.quiet();
    expect(ada.client.connectionStatus.getSnapshot()).toBe("idle");
    expect(world.shard.violations).toEqual([]);
  });

  it("shows a mutation at once, exactly once, and drops it in the turn that confirms it", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const shown: [string[] | undefined, boolean][] = [];
    const view = client.liveQuery(list, { channel: "a" });
    view.subscribe(() => {
      const { data, isOptimistic } = view.getSnapshot();
      shown.push([tags(data), isOptimistic]);
    });
    await world.deliver();
    const sent = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    expect(client.pendingCount.getSnapshot()).toBe(1);
    const settled = sent.then(() => shown.push([["settled"], false]));
    await world.deliver();
    await settled;
    expect(shown).toEqual([
      [[], false],
      [["t1"], true],
      [["t1"], false],
      [["settled"], false],
    ]);
    expect(client.pendingCount.getSnapshot()).toBe(0);
  });

  it("can be found by its function alone in an optimistic update", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const views = ["a", "b"].map((channel) => client.liveQuery(list, { channel }));
    for (const view of views) view.subscribe(() => {});
    client.liveQuery(count).subscribe(() => {});
    await world.deliver();
    client.liveQuery(list, { channel: "not loaded" }).subscribe(() => {});
    const found: unknown[] = [];
    void client.mutation(
      add,
      { channel: "a", tag: "t1", author: "ada" },
      {
        optimisticUpdate: (store, { tag }) => {
          const queries = store.getAllQueries(list);
          found.push(queries.map(({ args, value }) => [args.channel, value.length]));
          for (const { args, value } of queries)
            store.setQuery(list, args, [...value, { _id: tag, _creationTime: 0, channel: "", author: "", tag }]);
          found.push(store.getAllQueries(list).map(({ value }) => value.length));
        },
      },
    );
    expect(found).toEqual([
      [
        ["a", 0],
        ["b", 0],
      ],
      [1, 1],
    ]);
    expect(views.map((view) => tags(view.getSnapshot().data))).toEqual([["t1"], ["t1"]]);
  });

  it("rolls a refused mutation back, then tells its caller", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const view = client.liveQuery(count);
    view.subscribe(() => {});
    await world.deliver();
    const sent = client.mutation(
      fail,
      { tag: "t1", author: "ada" },
      { optimisticUpdate: (store) => store.setQuery(count, {}, (store.getQuery(count) ?? 0) + 1) },
    );
    expect(view.getSnapshot()).toEqual({ status: "live", data: 1, isOptimistic: true });
    const ended = sent.catch((error: unknown) => [error, view.getSnapshot().data]);
    await world.deliver();
    expect(await ended).toMatchObject([{ code: "CONFLICT", status: 409 }, 0]);
  });
});

describe("a live shape", () => {
  it("holds the rows of its filter, with a mutator's rows under the ids they will have", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const shape = client.shape(inChannel, { channel: "a" });
    const other = client.shape(inChannel, { channel: "b" });
    shape.subscribe(() => {});
    other.subscribe(() => {});
    await world.deliver();
    expect(shape.getSnapshot().status).toBe("live");
    const sent = client.mutate(put, { channel: "a", tag: "t1", author: "ada" });
    expect(tags(shape.getRows())).toEqual(["t1"]);
    const [before] = shape.getRows();
    expect(shape.getSnapshot().isOptimistic).toBe(true);
    await world.deliver();
    expect(await sent).toBe(before?._id);
    expect(shape.getRows()).toEqual([{ ...before, _creationTime: 1 }]);
    expect(shape.getSnapshot().isOptimistic).toBe(false);
    expect(other.getRows()).toEqual([]);
  });
});

describe("subscribe", () => {
  it("tells each result, and an error", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const seen: unknown[] = [];
    const subscription = client.subscribe(
      count,
      {},
      { onData: (n) => seen.push(n), onError: ({ message }) => seen.push(message) },
    );
    expect(subscription.current()).toBeUndefined();
    await world.deliver();
    void client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await world.deliver();
    expect(seen).toEqual([0, 1]);
    expect(subscription.current()).toBe(1);
    world.banned.add("ada");
    world.shard.closeAll(1006);
    await world.quiet(5_000);
    expect(seen).toEqual([0, 1, "You are banned"]);
    expect(world.network.wires.size).toBe(0);
    subscription.unsubscribe();
  });

  it("of what has no shard is an error, and so is everything without sockets", async () => {
    const world = new World(seed);
    const everywhere = { ...count, address: { kind: "fanOut", field: "f", merge: { kind: "sum" } } } as const;
    const seen: unknown[] = [];
    world.open("ada").client.subscribe(everywhere, {}, { onError: ({ code }) => seen.push(code) });
    const client = new LunoraClient({ url: "http://app.example", transport: "http" });
    const view = client.liveQuery(count);
    expect(view.getSnapshot().status).toBe("loading");
    view.subscribe(() => {});
    expect(view.getSnapshot()).toMatchObject({ status: "error", error: { code: "NOT_IMPLEMENTED" } });
    expect(() => client.shape(inChannel, { channel: "a" })).toThrow(/shapes/);
    expect(seen).toEqual(["FAN_OUT_NOT_LIVE"]);
  });
});

describe("a connection", () => {
  it("is shared by everything of a shard, and told", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const seen: string[] = [];
    client.connectionStatus.subscribe(() => seen.push(client.connectionStatus.getSnapshot()));
    for (const view of [client.liveQuery(count), client.liveQuery(mine), client.liveQuery(list, { channel: "a" })])
      view.subscribe(() => {});
    await world.deliver();
    expect(world.network.wires.size).toBe(1);
    expect(client.connectionStatusOf(SHARD)).toBe("connected");
    world.shard.closeAll(1006);
    await world.quiet(5_000);
    expect(seen).toEqual(["connecting", "connected", "offline", "connecting", "connected"]);
    client.close();
    expect([...world.network.wires].every((wire) => wire.isClosed)).toBe(true);
  });

  it("asks for a new token when the old one has expired", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    client.liveQuery(count).subscribe(() => {});
    await world.deliver();
    world.tokenGeneration++;
    world.shard.closeAll(4001);
    await world.quiet(2_000);
    expect(client.connectionStatusOf(SHARD)).toBe("connected");
  });

  it("is found dead when nothing answers", async () => {
    const world = new World(seed);
    const tab = world.open("ada");
    const view = tab.client.liveQuery(count);
    view.subscribe(() => {});
    await world.deliver();
    // Nothing is delivered any more, and nobody says that it is gone.
    await world.clock.advance(40_000);
    expect(view.getSnapshot().status).toBe("stale");
    await world.quiet(5_000);
    expect(view.getSnapshot().status).toBe("live");
  });
});

describe("the outbox", () => {
  it("outlives the page, is shown after a reload, and is sent in order before what the new page writes", async () => {
    const world = new World(seed);
    const profile = new BrowserProfile();
    const before = world.open("ada", profile);
    before.client.liveQuery(list, { channel: "a" }).subscribe(() => {});
    await world.quiet(3_000);
    before.setOnline(false);
    for (const wire of world.network.wiresOf(before)) wire.cut(0);
    void before.client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    void before.client.mutation(add, { channel: "a", tag: "t2", author: "ada" });
    await world.quiet(3_000);
    before.kill(0);

    const after = world.open("ada", profile);
    const settled: SettledMutation[] = [];
    after.client.onMutationSettled((mutation) => settled.push(mutation));
    const view = after.client.liveQuery(list, { channel: "a" });
    view.subscribe(() => {});
    const sent = after.client.mutation(add, { channel: "a", tag: "t3", author: "ada" });
    await world.clock.advance(0);
    expect(view.getSnapshot()).toMatchObject({ status: "stale", isOptimistic: true });
    expect(tags(view.getSnapshot().data)).toEqual(["t1", "t2", "t3"]);
    expect(after.client.pendingCount.getSnapshot()).toBe(3);
    await world.deliver();
    await sent;
    expect(world.shard.state.applied.map(({ tag }) => tag)).toEqual(["t1", "t2", "t3"]);
    expect(settled.map(({ args, hadAwaiter }) => [(args as { tag: string }).tag, hadAwaiter])).toEqual([
      ["t1", false],
      ["t2", false],
      ["t3", true],
    ]);
    expect(await profile.stored("o/")).toEqual([]);
  });

  it("of a closed tab is taken over by another one", async () => {
    const world = new World(seed);
    const profile = new BrowserProfile();
    const staying = world.open("ada", profile);
    const closing = world.open("ada", profile);
    closing.setOnline(false);
    void closing.client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await world.quiet(20_000);
    expect(world.shard.state.applied).toEqual([]);
    closing.kill(0);
    await world.quiet(20_000);
    expect(world.shard.state.applied).toMatchObject([{ tag: "t1" }]);
    expect(staying.client.pendingCount.getSnapshot()).toBe(0);
  });

  it("keeps what another identity wrote until that identity is back", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const settled: SettledMutation[] = [];
    client.onMutationSettled((mutation) => settled.push(mutation));
    const view = client.liveQuery(mine);
    view.subscribe(() => {});
    const { shard } = world;
    const sent = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    const ended = sent.catch((error: unknown) => error);
    client.setAuthToken(world.tokens("bob"), "bob");
    expect(await ended).toMatchObject({ code: "OFFLINE_IDENTITY_CHANGED", data: { isKept: true } });
    expect(settled).toMatchObject([{ status: "kept" }]);
    await world.quiet(10_000);
    expect(view.getSnapshot().data).toEqual({ page: [], isDone: true });
    expect(shard.state.applied).toEqual([]);
    client.setAuthToken(world.tokens("ada"), "ada");
    await world.quiet(10_000);
    expect(shard.state.applied).toMatchObject([{ tag: "t1" }]);
    expect(view.getSnapshot().data?.page).toHaveLength(1);
    expect(shard.violations).toEqual([]);
  });

  it.each([0, 1, 2, 3, 4, 5])(
    "leaves what it finds to others when somebody else signs in after %d reads",
    async (reads) => {
      const world = new World(seed);
      const profile = new BrowserProfile();
      const left = world.open("ada", profile);
      left.setOnline(false);
      void left.client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
      await settle();
      left.kill(0);
      profile.isSlow = true;
      const staying = world.open("ada", profile);
      for (let read = 0; read < reads; read++) {
        await settle();
        profile.step();
      }
      staying.client.setAuthToken(world.tokens("bob"), "bob");
      await world.quiet(10_000);
      world.open("ada", profile);
      await world.quiet(30_000);
      expect(world.shard.state.applied).toMatchObject([{ tag: "t1" }]);
    },
  );

  it.each(["ada", "bob"].flatMap((name) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((reads) => [name, reads] as const)))(
    "is sent once by who wrote it when %s turns out to be signed in, asked after %d reads",
    async (name, reads) => {
      const world = new World(seed);
      world.hasSubjects = false;
      const profile = new BrowserProfile();
      const left = world.open("ada", profile);
      await settle();
      left.setOnline(false);
      void left.client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
      await world.deliver();
      left.kill(0);
      profile.isSlow = true;
      const staying = world.open("ada", profile);
      for (let read = 0; read < reads; read++) {
        await settle();
        profile.step();
      }
      let answer = (_token: Promise<string>): void => {};
      const token = new Promise<string>((resolve) => (answer = resolve));
      staying.client.setAuthToken(() => token);
      // What is found now is found while nobody can say who is signed in.
      await world.deliver();
      answer((world.tokens(name) as () => Promise<string>)());
      await world.quiet(40_000);
      expect(world.shard.state.applied.map(({ tag }) => tag)).toEqual(name === "ada" ? ["t1"] : []);
      world.open("ada", profile);
      await world.quiet(40_000);
      expect(world.shard.state.applied).toMatchObject([{ tag: "t1" }]);
      expect(world.shard.violations).toEqual([]);
    },
  );

  it("notices by the token itself that somebody else has signed in", async () => {
    const world = new World(seed);
    world.hasSubjects = false;
    const { ada, bob } = { ada: world.tokens("ada"), bob: world.tokens("bob") } as Record<
      string,
      () => Promise<string>
    >;
    let current = ada;
    const { client } = world.open("ada", undefined, { token: () => current?.() ?? null });
    const view = client.liveQuery(mine);
    view.subscribe(() => {});
    const first = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await world.deliver();
    await first;
    expect(view.getSnapshot().data?.page).toHaveLength(1);
    world.shard.closeAll(1006);
    await world.deliver();
    const second = client.mutation(add, { channel: "a", tag: "t2", author: "ada" });
    const ended = second.catch((error: unknown) => error);
    current = bob;
    await world.quiet(5_000);
    expect(await ended).toMatchObject({ code: "OFFLINE_IDENTITY_CHANGED" });
    expect(view.getSnapshot().data?.page).toEqual([]);
    expect(world.shard.violations).toEqual([]);
    expect(world.shard.state.applied).toHaveLength(1);
  });

  it("refuses what is too much or too long, and forgets what is aborted before it was sent", async () => {
    const world = new World(seed);
    const { client } = world.open("ada", undefined, { maxItems: 2 });
    const written = { channel: "a", author: "ada" };
    const long = client.mutation(add, { ...written, tag: "x".repeat(1 << 20) });
    await expect(long).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    const controller = new AbortController();
    const aborted = client.mutation(add, { ...written, tag: "t1" }, { signal: controller.signal });
    const kept = client.mutation(add, { ...written, tag: "t2" });
    await expect(client.mutation(add, { ...written, tag: "t3" })).rejects.toMatchObject({
      code: "OFFLINE_QUEUE_OVERFLOW",
    });
    controller.abort(new Error("changed my mind"));
    await expect(aborted).rejects.toThrow("changed my mind");
    await world.deliver();
    await kept;
    expect(world.shard.state.applied.map(({ tag }) => tag)).toEqual(["t2"]);
  });

  it("takes entries as long as a frame can hold", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const written = { channel: "a", author: "ada" };
    const entry = { clientSeq: Number.MAX_SAFE_INTEGER, mutationId: "x".repeat(22), functionPath: add.path };
    const around = JSON.stringify({ ...entry, args: { ...written, tag: "" } }).length;
    // The comma behind it counts, and a letter that takes two bytes counts as two.
    const tag = `${"x".repeat(MAX_ENTRY_BYTES - around - 3)}é`;
    await expect(client.mutation(add, { ...written, tag: `${tag}x` })).rejects.toMatchObject({
      message: `${MAX_ENTRY_BYTES + 1} bytes, at most ${MAX_ENTRY_BYTES} in a mutation`,
    });
    const longest = client.mutation(add, { ...written, tag });
    await world.deliver();
    await longest;
    expect(world.shard.state.applied).toEqual([expect.objectContaining({ tag })]);
  });

  it("joins a call with the id of one that waits", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const call = (): Promise<string> =>
      client.mutation(add, { channel: "a", tag: "t1", author: "ada" }, { mutationId: "AAAAAAAAAAAAAAAAAAAAAA" });
    const both = Promise.all([call(), call()]);
    await world.deliver();
    const [first, second] = await both;
    expect(first).toBe(second);
    expect(world.shard.state.applied).toHaveLength(1);
  });

  it("goes on from memory when the storage is full, and says so", async () => {
    const world = new World(seed);
    const profile = new BrowserProfile();
    profile.fill(true);
    const tab = world.open("ada", profile);
    const sent = tab.client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await world.deliver();
    await sent;
    expect(String(tab.storageErrors[0])).toContain("full");
  });

  it("waits for a storage that does not answer, without keeping the page busy, and then goes on without it", async () => {
    const world = new World(seed);
    const profile = new BrowserProfile();
    profile.isStuck = true;
    const { client } = world.open("ada", profile);
    client.liveQuery(count).subscribe(() => {});
    await world.deliver();
    expect(client.connectionStatus.getSnapshot()).toBe("connected");
    const sent = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await world.deliver();
    expect(world.shard.state.applied).toEqual([]);
    await world.quiet(5_000);
    await expect(sent).resolves.toMatch(/^[\w-]{22}$/);
  });

  it("is kept in memory by a client without `offline`, with one effect over a lost connection", async () => {
    const world = new World(seed);
    const { client } = world.open("ada", new BrowserProfile(), { offline: undefined });
    const view = client.liveQuery(list, { channel: "a" });
    view.subscribe(() => {});
    await world.deliver();
    const sent = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    await settle();
    // What was sent arrives, its ack does not.
    for (const wire of world.network.wires) wire.cut(9);
    const further = client.mutation(add, { channel: "a", tag: "t2", author: "ada" });
    expect(tags(view.getSnapshot().data)).toEqual(["t1", "t2"]);
    await world.quiet();
    await Promise.all([sent, further]);
    expect(world.shard.state.applied.map(({ tag }) => tag)).toEqual(["t1", "t2"]);
    expect(view.getSnapshot()).toMatchObject({ status: "live", isOptimistic: false });
    expect(world.shard.violations).toEqual([]);
  });

  it("of a client without `offline` is kept for its identity while another is signed in", async () => {
    const world = new World(seed);
    const tab = world.open("ada", new BrowserProfile(), { offline: undefined });
    const { client } = tab;
    const ended: unknown[] = [];
    client.onMutationSettled(({ status }) => ended.push(status));
    tab.setOnline(false);
    const sent = client.mutation(add, { channel: "a", tag: "t1", author: "ada" });
    const refused = sent.catch((error: unknown) => error);
    client.setAuthToken(world.tokens("bob"), "bob");
    expect(await refused).toMatchObject({ code: "OFFLINE_IDENTITY_CHANGED", data: { isKept: true } });
    tab.setOnline(true);
    await world.quiet();
    expect(world.shard.state.applied).toEqual([]);
    client.setAuthToken(world.tokens("ada"), "ada");
    await world.quiet();
    expect(world.shard.state.applied.map(({ tag }) => tag)).toEqual(["t1"]);
    expect(ended).toEqual(["kept", "succeeded"]);
  });

  it("travels in one frame for all calls of a turn", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    client.liveQuery(count).subscribe(() => {});
    await world.deliver();
    const pushes: number[] = [];
    const push = world.shard.push.bind(world.shard);
    world.shard.push = (connection, frame) => {
      pushes.push(frame.entries.length);
      push(connection, frame);
    };
    const calls = Array.from({ length: 64 }, (_, n) =>
      client
        .mutation(add, { channel: "a", tag: `t${n}`, author: "ada" })
        .then(() => client.mutation(add, { channel: "a", tag: `u${n}`, author: "ada" })),
    );
    await world.deliver();
    await Promise.all(calls);
    expect(pushes).toEqual([64, 64]);
  });
});

describe("an update of the app that throws", () => {
  it("is reported, and stops nothing", async () => {
    const world = new World(seed);
    const tab = world.open("ada");
    tab.client.liveQuery(count).subscribe(() => {
      throw new Error("listener");
    });
    await world.deliver();
    const sent = tab.client.mutation(
      add,
      { channel: "a", tag: "t1", author: "ada" },
      {
        optimisticUpdate: () => {
          throw new Error("update");
        },
      },
    );
    await world.deliver();
    await sent;
    expect(tab.reports.map(String)).toContain("Error: listener");
    expect(tab.reports.map(String)).toContain("Error: update");
  });
});
