import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { appEntry, inspect, NAMESPACES } from "../../do/testing/client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { Page, roomOf, shown, streamOf } from "../testing/live-parts.ts";
import { presence } from "./presence.ts";
import { stream } from "./streams.ts";
import { whispers } from "./whispers.ts";

let streaming: TestWorker;
let rooms: TestWorker;
const pages: Page[] = [];

beforeAll(async () => {
  streaming = await TestWorker.start({ entry: appEntry("streams"), namespaces: NAMESPACES });
  rooms = await TestWorker.start({
    entry: appEntry("presence"),
    namespaces: [...NAMESPACES, { binding: "SESSION", className: "SessionDO" }],
  });
});

afterAll(async () => {
  for (const one of pages) one.client.close();
  await streaming?.stop();
  await rooms?.stop();
});

function visit(worker: TestWorker, token: string | null = null): Page {
  const made = new Page(worker.origin, { token, subject: token ?? "nobody" });
  pages.push(made);
  return made;
}

const gated = streamOf<{ name: string; chunks: number }, string>("gated");
const durable = streamOf<{ name: string; chunks: number }, string>("durable");
const count = streamOf<{ to: number; fail?: number }, number>("count");
const kept = streamOf<{ to: number; fail?: number; name?: string }, number>("kept");

async function pass(name: string): Promise<void> {
  while (!(await inspect(streaming, "pass", name))) await pause(5);
}

describe("a stream", () => {
  test("brings its chunks, then its end", async () => {
    const live = stream(visit(streaming).client, count, { to: 1_000 });
    expect(live.getSnapshot()).toEqual({ status: "connecting", chunks: [] });
    const { chunks } = await shown(live, ({ status }) => status === "complete");
    expect(chunks).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  test("is read one by one, and throws its error at the end", async () => {
    const { client } = visit(streaming);
    const read: number[] = [];
    await expect(async () => {
      for await (const chunk of stream(client, count, { to: 5, fail: 4 })) read.push(chunk);
    }).rejects.toThrow(expect.objectContaining({ code: "CONFLICT" }));
    expect(read).toEqual([1, 2, 3]);
    for await (const chunk of stream(client, gated, { name: "left early", chunks: 0 })) expect(chunk).toBeUndefined();
  });

  test("that nobody listens to any more is given up", async () => {
    const live = stream(visit(streaming).client, gated, { name: "given up", chunks: 5 });
    const end = live.subscribe(() => {});
    await pass("given up");
    await shown(live, ({ chunks }) => chunks.length === 1);
    end();
    while ((await inspect(streaming, "seen", "given up")).aborted !== true) await pause(5);
  });

  test("that is not kept ends when its connection is lost, and begins again when it is asked to", async () => {
    const one = visit(streaming);
    const live = stream(one.client, gated, { name: "lost", chunks: 2 });
    const end = live.subscribe(() => {});
    await pass("lost");
    await shown(live, ({ chunks }) => chunks.length === 1);
    one.cut();
    const { error, chunks } = await shown(live, ({ status }) => status === "error");
    expect([error?.code, chunks]).toEqual(["STREAM_INTERRUPTED", ["lost 1"]]);
    one.mend();
    live.restart();
    // One of those who wait is of the first run.
    for (let waiting = 0; waiting < 3; waiting += 1) void pass("lost");
    expect((await shown(live, ({ status }) => status === "complete")).chunks).toEqual(["lost 1", "lost 2"]);
    end();
  });

  test("that is kept goes on where it was, without a chunk twice or none", async () => {
    const one = visit(streaming, "keeper");
    const live = stream(one.client, durable, { name: "kept on", chunks: 4 });
    const end = live.subscribe(() => {});
    await pass("kept on");
    await shown(live, ({ chunks }) => chunks.length === 1);
    one.cut();
    await pass("kept on");
    await pass("kept on");
    one.mend();
    await shown(live, ({ chunks }) => chunks.length === 3);
    await pass("kept on");
    const { chunks } = await shown(live, ({ status }) => status === "complete");
    expect(chunks).toEqual([1, 2, 3, 4].map((n) => `kept on ${n}`));
    expect(one.reported).toEqual([]);
    end();
    // Another page of the same identity gets the same run.
    const other = stream(visit(streaming, "keeper").client, durable, { name: "kept on", chunks: 4 });
    expect((await shown(other, ({ status }) => status === "complete")).chunks).toEqual(chunks);
    expect((await inspect(streaming, "seen", "kept on")).starts).toBe(1);
  });

  test("that failed is run anew when it is asked to", async () => {
    const one = visit(streaming, "again");
    const live = stream(one.client, kept, { to: 2, fail: 2, name: "again" });
    const end = live.subscribe(() => {});
    await shown(live, ({ status }) => status === "error");
    live.restart();
    expect(live.getSnapshot()).toEqual({ status: "connecting", chunks: [] });
    const { chunks, error } = await shown(live, ({ status }) => status === "error");
    expect([chunks, error?.code]).toEqual([[1], "CONFLICT"]);
    expect(one.sent.findLast(({ type }) => type === "stream")).toHaveProperty("replaces");
    end();
  });

  test("of another identity begins anew", async () => {
    const one = visit(streaming, "first");
    const who = stream(one.client, streamOf<{}, unknown>("who"), {});
    const end = who.subscribe(() => {});
    expect((await shown(who, ({ status }) => status === "complete")).chunks[0]).toBe("first");
    end();
    const waiting = stream(one.client, durable, { name: "of somebody", chunks: 2 });
    const endWaiting = waiting.subscribe(() => {});
    await pass("of somebody");
    await shown(waiting, ({ chunks }) => chunks.length === 1);
    one.client.setAuthToken("second", "second");
    await shown(waiting, ({ chunks }) => chunks.length === 0);
    endWaiting();
  });
});

describe("whispers", () => {
  test("reach other pages that listen, while there is a connection", async () => {
    const [one, two] = [visit(streaming, "ann"), visit(streaming, "ben")];
    const heard: unknown[] = [];
    const topic = whispers(two.client, "typing");
    expect(whispers(two.client, "typing")).toBe(topic);
    expect(topic.send("nobody listens here")).toBe(false);
    const end = topic.subscribe((data, from) => heard.push([data, from]));
    const own: unknown[] = [];
    const mine = whispers(one.client, "typing");
    mine.subscribe((data) => own.push(data));
    while (heard.length === 0) {
      mine.send({ at: 5n });
      await pause(20);
    }
    expect(heard[0]).toEqual([{ at: 5n }, "ann"]);
    expect(own).toEqual([]);
    one.cut();
    while (mine.send("offline")) await pause(5);
    end();
    await pause(50);
    expect(two.count("whisper_unsubscribe")).toBe(1);
    expect(heard).not.toContainEqual(["offline", "ann"]);
  });
});

describe("presence", () => {
  const open = roomOf("open");

  test("pages see each other come, change and go", async () => {
    const [one, two] = [visit(rooms, "ann"), visit(rooms, "ben")];
    const ann = presence(one.client, open, "hall", { name: "Ann" });
    const ben = presence(two.client, open, "hall", { name: "Ben" });
    expect(presence(one.client, open, "hall", { name: "?" })).toBe(ann);
    const endAnn = ann.subscribe(() => {});
    await shown(ann, ({ status }) => status === "connected");
    const endBen = ben.subscribe(() => {});
    const { members, me } = await shown(ann, (snapshot) => snapshot.members.length === 2);
    expect(members.map(({ data, userId }) => [data.name, userId])).toEqual([
      ["Ann", "ann"],
      ["Ben", "ben"],
    ]);
    expect(me).toBe(members[0]);
    for (let index = 0; index <= 40; index += 1) ben.update({ name: "Ben", note: `${index}` });
    const { members: later } = await shown(ann, (snapshot) => snapshot.members[1]?.data.note === "40");
    // Many at once are two; whoever did not change is the same object.
    expect(two.count("update")).toBeLessThanOrEqual(2);
    expect(later[0]).toBe(members[0]);
    endBen();
    await shown(ann, (snapshot) => snapshot.members.length === 1);
    endAnn();
    expect(one.reported).toEqual([]);
  });

  test("a connection that breaks and comes back is not seen by others", async () => {
    const [one, two] = [visit(rooms, "ann"), visit(rooms, "ben")];
    const ann = presence(one.client, open, "broken", { name: "Ann" });
    const ben = presence(two.client, open, "broken", { name: "Ben" });
    const ends = [ann.subscribe(() => {}), ben.subscribe(() => {})];
    await shown(ann, ({ members }) => members.length === 2);
    await shown(ben, ({ status, members }) => status === "connected" && members.length === 2);
    const { memberId } = ben.getSnapshot().me ?? { memberId: "" };
    const sizes: number[] = [];
    ends.push(ann.subscribe(() => sizes.push(ann.getSnapshot().members.length)));
    two.cut();
    await shown(ben, ({ status }) => status === "offline");
    expect(ben.getSnapshot().members).toHaveLength(2);
    ben.update({ name: "Ben", note: "said while away" });
    two.mend();
    await shown(ben, ({ status }) => status === "connected");
    await shown(ann, ({ members }) => members.some(({ data }) => data.note === "said while away"));
    expect(ben.getSnapshot().me?.memberId).toBe(memberId);
    expect(new Set(sizes)).toEqual(new Set([2]));
    for (const end of ends) end();
  });

  test("another identity is another member; whoever is refused is told", async () => {
    const [one, two] = [visit(rooms, "ann"), visit(rooms, "ben")];
    const ann = presence(one.client, open, "identities", { name: "Page" });
    const ben = presence(two.client, open, "identities", { name: "Ben" });
    const ends = [ann.subscribe(() => {}), ben.subscribe(() => {})];
    await shown(ben, ({ members }) => members.some(({ userId }) => userId === "ann"));
    one.client.setAuthToken("eve", "eve");
    await shown(ben, ({ members }) => members.some(({ userId }) => userId === "eve"));
    const asks = presence(one.client, roomOf("asks"), "ann", { name: "Page" });
    ends.push(asks.subscribe(() => {}));
    expect((await shown(asks, ({ status }) => status === "error")).error?.code).toBe("FORBIDDEN");
    one.client.setAuthToken("ann", "ann");
    await shown(asks, ({ status }) => status === "connected");
    for (const end of ends) end();
  });

  test("a client that is closed is gone", async () => {
    const [one, two] = [visit(rooms), visit(rooms)];
    const watching = presence(one.client, open, "closing", { name: "One" });
    const end = watching.subscribe(() => {});
    presence(two.client, open, "closing", { name: "Two" }).subscribe(() => {});
    await shown(watching, ({ members }) => members.length === 2);
    two.client.close();
    await shown(watching, ({ members }) => members.length === 1);
    end();
  });
});
