import { CLOSE_CODES } from "@lunora/protocol";

import type { AuthToken, LunoraClientOptions } from "../src/index.ts";
import { BrowserProfile } from "./browser-profile.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { ReferenceShard } from "./reference-shard.ts";
import { Tab } from "./tab.ts";
import { settle, VirtualClock } from "./virtual-clock.ts";

/** A server, browsers and what is between them; only what a test moves moves. */
export class World {
  readonly random: Random;
  readonly clock: VirtualClock = new VirtualClock();
  readonly shard: ReferenceShard = new ReferenceShard();
  readonly network: Network;
  /** Tokens of an older generation have expired. */
  tokenGeneration = 0;
  readonly profiles: Set<BrowserProfile> = new Set();
  /** Whether apps say who a token stands for. */
  hasSubjects = true;
  /** Whether mutators await what they read. */
  hasAsyncMutators = false;
  /** Identities that may not come in. */
  readonly banned: Set<string> = new Set();

  constructor(seed: number) {
    this.random = new Random(seed);
    this.network = new Network((wire, _, token) => {
      const [, claims = "", generation = "0"] = (token ?? "").split(".");
      const identity =
        claims === "" ? "" : (JSON.parse(Buffer.from(claims, "base64url").toString()) as { sub: string }).sub;
      if (this.banned.has(identity)) {
        wire.send(
          JSON.stringify({ type: "error", error: { code: "UNAUTHORIZED", status: 401, message: "You are banned" } }),
        );
        return CLOSE_CODES.identityInvalid;
      }
      if (Number(generation) < this.tokenGeneration) return CLOSE_CODES.tokenExpired;
      return this.shard.connect(wire, identity);
    });
  }

  /** A provider of tokens that are valid when it is asked. */
  tokens(identity: string): AuthToken {
    const claims = Buffer.from(JSON.stringify({ sub: identity })).toString("base64url");
    return async () => `e30.${claims}.${this.tokenGeneration}`;
  }

  /** Without `hasSubjects` it is the token that says who it is, once its provider has answered. */
  open(
    identity: string,
    profile: BrowserProfile = new BrowserProfile(),
    client: Partial<LunoraClientOptions> = {},
  ): Tab {
    const { network, clock, random } = this;
    this.profiles.add(profile);
    return new Tab({
      network,
      clock,
      random,
      profile,
      token: this.tokens(identity),
      hasAsyncMutators: this.hasAsyncMutators,
      client: { ...(this.hasSubjects ? { subject: identity } : {}), ...client },
    });
  }

  /** Moves one random thing on, on the network or in a storage; false when nothing can move. */
  step(): boolean {
    const storage = this.random.chance(0.5) ? [] : [...this.profiles];
    return (
      storage.some((profile) => profile.step()) ||
      this.network.step(this.random.next) ||
      [...this.profiles].some((profile) => profile.step())
    );
  }

  /** Lets everything arrive that is on its way. */
  async deliver(): Promise<void> {
    for (let round = 0; round < 10_000; round++) {
      await settle();
      if (!this.step() && !this.network.hasLate) {
        await settle();
        if (!this.step()) return;
      }
    }
    throw new Error("The network does not come to rest");
  }

  /** Lets time pass until everything has come to rest. */
  async quiet(milliseconds = 90_000): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 1_000) {
      await this.deliver();
      await this.clock.advance(1_000);
    }
    await this.deliver();
  }
}
