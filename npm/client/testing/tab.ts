import { LunoraClient } from "../src/index.ts";
import type { AuthToken, LunoraClientOptions } from "../src/index.ts";
import { offline } from "../src/offline.ts";
import { pageDeltas } from "../src/page-deltas.ts";
import { shapes } from "../src/shapes.ts";
import type { BrowserProfile } from "./browser-profile.ts";
import { add, list, put } from "./functions.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface TabOptions {
  readonly network: Network;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly profile: BrowserProfile;
  readonly token: AuthToken;
  /** Whether its mutators await what they read. */
  readonly hasAsyncMutators?: boolean;
  readonly client?: Partial<LunoraClientOptions>;
}

/** A page with a client in it. Nothing of it runs any more once it is killed. */
export class Tab {
  readonly client: LunoraClient;
  readonly profile: BrowserProfile;
  /** What the client reported as the app's errors. */
  readonly reports: unknown[] = [];
  readonly storageErrors: unknown[] = [];
  /** How far the tab's clock is off, milliseconds. */
  skew = 0;
  #isDead = false;
  #networkListener: (isOnline: boolean) => void = () => {};
  readonly #network: Network;

  constructor({ network, clock, random, profile, token, hasAsyncMutators = false, client = {} }: TabOptions) {
    this.profile = profile;
    this.#network = network;
    this.client = new LunoraClient({
      url: "http://app.example",
      token,
      shapes,
      pageDeltas,
      offline: offline({
        storage: profile.storageOf(this),
        onError: (error) => void this.storageErrors.push(error),
      }),
      ...client,
      environment: {
        random: random.next,
        randomBytes: random.bytes,
        now: () => clock.now + this.skew,
        setTimer: (milliseconds, callback) => clock.setTimer(milliseconds, () => void (this.#isDead || callback())),
        WebSocket: network.socketsOf(this),
        locks: profile.locksOf(this),
        onNetworkChange: (listener) => {
          this.#networkListener = listener;
          return () => {};
        },
        report: (error) => void this.reports.push(error),
      },
    });
    this.client.registerOptimistic(add, (store, { channel, tag, author }) => {
      const rows = store.getQuery(list, { channel });
      const _id = store.deriveId("rows", 0);
      if (rows === undefined || rows.some((row) => row._id === _id)) return;
      store.setQuery(list, { channel }, [...rows, { _id, _creationTime: Infinity, channel, author, tag }]);
    });
    this.client.registerMutator(put, ({ db }, { channel, tag, author }) => {
      if (!hasAsyncMutators) return void db.insert("rows", { channel, tag, author });
      return (async () => {
        const id = await db.insert("rows", { channel, tag: "draft", author });
        if ((await db.get("rows", id))?.["tag"] !== "draft") throw new Error("The row is not there");
        await db.patch("rows", id, { tag });
      })();
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  setOnline(isOnline: boolean): void {
    this.#network.setOnline(this, isOnline);
    this.#networkListener(isOnline);
  }

  /** No farewell: sockets break, locks are lost, promises never settle. */
  kill(arriving: number): void {
    this.#isDead = true;
    for (const wire of this.#network.wiresOf(this)) {
      wire.abandon();
      wire.cut(arriving);
    }
    this.profile.close(this);
  }
}
