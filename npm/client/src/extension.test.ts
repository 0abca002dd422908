import type { ClientFrame, ServerFrame } from "@lunora/protocol";
import { describe, expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { count, SHARD } from "../testing/functions.ts";
import { World } from "../testing/world.ts";
import type { Channel, ChannelEvent, ExtensionHost } from "./index.ts";

/** A topic of the root that notes what happens to it. */
class Topic implements Channel {
  readonly shard: string = SHARD;
  id: string;
  readonly seen: unknown[] = [];

  constructor(topic: string) {
    this.id = topic;
  }

  openFrame(): ClientFrame {
    return { type: "whisper_subscribe", topic: this.id };
  }

  closeFrame(): ClientFrame {
    return { type: "whisper_unsubscribe", topic: this.id };
  }

  step(event: ChannelEvent): undefined {
    if (event.type === "frame") this.seen.push(event.frame);
    else this.seen.push(event.type === "failed" ? event.error.code : event.type);
  }
}

const whisper: ServerFrame = { type: "whisper", topic: "typing", data: "ada" };

describe("an extension", () => {
  it("is made once for each client", () => {
    const world = new World(seed);
    const [ada, bob] = [world.open("ada").client, world.open("bob").client];
    const extension = (host: ExtensionHost): { readonly host: ExtensionHost } => ({ host });
    expect(ada.extension(extension)).toBe(ada.extension(extension));
    expect(bob.extension(extension).host).not.toBe(ada.extension(extension).host);
  });

  it("opens channels, which get their frames, and open again when the connection does", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const host = client.extension((offered) => offered);
    const topic = new Topic("typing");
    expect(host.hasSockets).toBe(true);
    expect(host.shardOf(count, {})).toBe(SHARD);
    expect(host.send(SHARD, { type: "whisper", topic: "typing" })).toBe(false);
    host.transact(() => host.open(topic));
    await world.deliver();
    expect(world.shard.topics()).toEqual(["typing"]);
    expect(host.send(SHARD, { type: "whisper", topic: "typing", data: 1 })).toBe(true);
    world.shard.tell(whisper);
    world.shard.tell({ ...whisper, topic: "other" } as ServerFrame);
    await world.deliver();
    world.shard.tell({
      type: "error",
      id: "typing",
      error: { code: "RATE_LIMITED", status: 429, message: "Too many" },
    });
    await world.deliver();
    world.shard.closeAll(1006);
    await world.quiet(5_000);
    expect(world.shard.topics()).toEqual(["typing"]);
    expect(topic.seen).toEqual(["greeted", whisper, "RATE_LIMITED", "down", "greeted"]);
    host.transact(() => host.close(topic));
    expect(topic.id).toBe("");
    await world.quiet(60_000);
    expect(world.shard.topics()).toEqual([]);
    expect(client.connectionStatus.getSnapshot()).toBe("idle");
  });

  it("tells its channels of another identity, and that they are refused", async () => {
    const world = new World(seed);
    const { client } = world.open("ada");
    const host = client.extension((offered) => offered);
    const topic = new Topic("typing");
    host.transact(() => host.open(topic));
    await world.deliver();
    client.setAuthToken(world.tokens("bob"), "bob");
    await world.deliver();
    expect(topic.seen).toEqual(["greeted", "down", "forget", "greeted"]);
    world.banned.add("bob");
    world.shard.closeAll(1006);
    await world.quiet(5_000);
    // The attempt that was refused is a connection that was lost, too.
    expect(topic.seen.slice(4)).toEqual(["down", "down", "UNAUTHORIZED"]);
    const late = new Topic("late");
    host.transact(() => host.open(late));
    expect(late.seen).toEqual(["UNAUTHORIZED"]);
  });
});
