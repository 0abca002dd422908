import { isDeepStrictEqual } from "node:util";

import { isLunoraError } from "../src/index.ts";
import type { Store } from "../src/index.ts";
import { BrowserProfile } from "./browser-profile.ts";
import { add, count, fail, inChannel, list, mine, move, put, remove } from "./functions.ts";
import { runQuery, shapeRows } from "./reference-shard.ts";
import type { ReferenceShard, Row, Rows } from "./reference-shard.ts";
import type { Tab } from "./tab.ts";
import { settle } from "./virtual-clock.ts";
import { World } from "./world.ts";

const IDENTITIES = ["ada", "bob"];
const CHANNELS = ["a", "b"];
const MAX_TABS = 5;

/** One call of a mutation, and what became of it. */
interface Call {
  readonly tag: string;
  readonly author: string;
  readonly tab: Tab;
  readonly path: string;
  readonly channel: string;
  readonly controller: AbortController;
  outcome: "pending" | "resolved" | "rejected" | "kept" | "aborted";
  /** Whether it was in storage when its tab was killed, or its tab lives. */
  isSafe: boolean;
  /** Whether some page was told that it succeeded. */
  isConfirmed: boolean;
  /** Whether it took effect on a timeline that was given up. */
  wasLost: boolean;
  /** Whether that was undone, because the server went back to a backup. */
  isUndone: boolean;
}

/** Something that a tab watches. */
interface Watch {
  readonly name: string;
  readonly snapshot: () => { readonly status: string; readonly isOptimistic: boolean };
  readonly shown: () => unknown;
  readonly truth: (rows: Rows, identity: string) => unknown;
  readonly stop: () => void;
}

/**
 * Tabs of two browsers and a server under random commands. A violated rule is an `Error` that says
 * which; the same seed makes the same run.
 */
export class Simulation {
  readonly #world: World;
  readonly #profiles = [new BrowserProfile(), new BrowserProfile()];
  readonly #identities = new Map<Tab, string>();
  readonly #watches = new Map<Tab, Watch[]>();
  readonly #calls: Call[] = [];
  /** Rules that were broken in a callback. */
  readonly #broken: string[] = [];
  readonly #log: string[] = [];
  #era = 0;
  #serial = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
    this.#world.hasSubjects = this.#world.random.chance(0.5);
    this.#world.hasAsyncMutators = this.#world.random.chance(0.3);
    for (const profile of this.#profiles) profile.isSlow = this.#world.random.chance(0.5);
    this.#open();
  }

  /** What happened, for a report. */
  get log(): string {
    return this.#log.join("\n");
  }

  async run(commands: number): Promise<void> {
    for (let place = 0; place < commands; place++) {
      await this.#command();
      await settle();
      this.#checkAlways();
    }
    await this.#finish();
  }

  get #tabs(): Tab[] {
    return [...this.#identities.keys()].filter((tab) => !tab.isDead);
  }

  async #command(): Promise<void> {
    const { random, network, clock, shard } = this.#world;
    const tab = random.pick(this.#tabs);
    if (tab === undefined) return this.#open();
    const dice = random.next() * 100;
    if (dice < 34) this.#mutate(tab);
    else if (dice < 44) this.#watch(tab);
    else if (dice < 48) this.#unwatch(tab);
    else if (dice < 70) for (let steps = random.below(12); steps >= 0; steps--) await this.#step();
    else if (dice < 75) await clock.advance(random.below(random.chance(0.2) ? 120_000 : 2_000));
    else if (dice < 79) this.#note("cut", () => random.pick(network.wiresOf(tab))?.cut(random.below(4)));
    else if (dice < 82) this.#note("offline", () => this.#setOnline(tab, false));
    else if (dice < 85) this.#note("online", () => this.#setOnline(tab, true));
    else if (dice < 88) await this.#kill(tab);
    else if (dice < 91) this.#open();
    else if (dice < 92) this.#note("clock jump", () => void (tab.skew += (random.next() - 0.5) * 1e9));
    else if (dice < 93) this.#note("server restart", () => shard.closeAll(random.chance(0.5) ? 1012 : 1006));
    else if (dice < 94) this.#note("trim", () => shard.trim());
    else if (dice < 95) this.#note("tokens expire", () => this.#expire());
    else if (dice < 95.5) this.#note("deltas", () => void (shard.sendsDeltas = !shard.sendsDeltas));
    else if (dice < 96) this.#note("apart", () => void (shard.sendsApart = !shard.sendsApart));
    else if (dice < 97) this.#remember();
    else if (dice < 98) this.#restore();
    else if (dice < 98.5) this.#signIn(tab);
    else if (dice < 98.7) await this.#crash(tab);
    else if (dice < 99) this.#abort(tab);
    else this.#note("storage", () => tab.profile.fill(!tab.profile.isFull));
  }

  #note(name: string, work: () => unknown): void {
    this.#log.push(name);
    work();
  }

  #setOnline(tab: Tab, isOnline: boolean): void {
    tab.setOnline(isOnline);
    if (!isOnline) for (const wire of this.#world.network.wiresOf(tab)) wire.cut(this.#world.random.below(3));
  }

  #expire(): void {
    this.#world.tokenGeneration++;
    this.#world.shard.closeAll(4001);
  }

  async #step(): Promise<void> {
    this.#world.step();
    await settle();
    this.#checkAlways();
  }

  #open(): void {
    if (this.#tabs.length >= MAX_TABS) return;
    const { random } = this.#world;
    this.#openAs(random.pick(IDENTITIES) ?? "", random.pick(this.#profiles) as BrowserProfile);
  }

  #openAs(identity: string, profile: BrowserProfile): Tab {
    const tab = this.#world.open(identity, profile);
    this.#log.push(`open ${identity}`);
    this.#identities.set(tab, identity);
    this.#watches.set(tab, []);
    const settled = new Set<string>();
    tab.client.onMutationSettled(({ status, args }) => {
      const { tag } = args as { tag: string };
      this.#log.push(`${tag} ${status}`);
      if (status === "kept") return;
      const call = this.#calls.find((other) => other.tag === tag);
      if (call && status === "succeeded") call.isConfirmed = true;
      if (settled.has(tag)) this.#broken.push(`${tag} ended twice in one page`);
      settled.add(tag);
    });
    return tab;
  }

  async #kill(tab: Tab, arriving = this.#world.random.below(4)): Promise<void> {
    const { random } = this.#world;
    this.#log.push("kill");
    // Its late frames may meet the numbers that another page gave to what was stored behind a gap.
    tab.kill(arriving);
    const stored = new Set((await tab.profile.stored("o/")).map(([, value]) => tagOf(value)));
    for (const call of this.#calls) {
      // What an earlier page left is lost as well when the storage had no room for its new number.
      const isHeld = call.tab === tab || (call.tab.isDead && call.tab.profile === tab.profile && tab.profile.wasFull);
      if (isHeld && !call.isConfirmed && (call.outcome === "pending" || call.outcome === "kept"))
        call.isSafe &&= stored.has(call.tag);
    }
    // A reload: the same profile and identity come back at once.
    if (random.chance(0.5)) this.#openAs(this.#identities.get(tab) ?? "", tab.profile);
  }

  /**
   * A page of whose calls only some are stored, all of them on their way when it ends: they arrive
   * when another page has given new numbers to those that were stored.
   */
  async #crash(tab: Tab): Promise<void> {
    const { random, network } = this.#world;
    const { profile } = tab;
    const identity = this.#identities.get(tab) ?? "";
    this.#log.push("crash");
    this.#setOnline(tab, true);
    for (let steps = 0; steps < 12; steps++) await this.#step();
    profile.isSlow = false;
    for (const isFull of [false, true, false]) {
      profile.fill(isFull);
      for (let calls = random.below(3); calls > 0; calls--) {
        this.#mutate(tab);
        await settle();
      }
    }
    network.holdsLate = true;
    await this.#kill(tab, 9);
    if (this.#tabs.length < MAX_TABS) this.#openAs(identity, profile);
    for (let steps = random.below(60); steps > 0; steps--) await this.#step();
    network.holdsLate = false;
  }

  #signIn(tab: Tab): void {
    const identity = this.#world.random.pick(IDENTITIES) ?? "";
    this.#log.push(`sign in ${identity}`);
    this.#setIdentity(tab, identity);
  }

  #setIdentity(tab: Tab, identity: string): void {
    this.#identities.set(tab, identity);
    tab.client.setAuthToken(this.#world.tokens(identity), this.#world.hasSubjects ? identity : undefined);
  }

  #saved: ReferenceShard["state"] | undefined;

  #remember(): void {
    this.#saved = this.#world.shard.state;
    this.#log.push("backup");
  }

  /** The server goes back to the backup: what was acknowledged since is lost, and only that. */
  #restore(): void {
    if (this.#saved === undefined) return;
    this.#era++;
    this.#log.push("restore");
    // The object begins anew: with its connections goes all that was on its way in either direction.
    this.#world.network.breakAll();
    const applied = new Set(this.#saved.applied.map(({ tag }) => tag));
    const { applied: lost } = this.#world.shard.state;
    // What it shows of these until it connects again is the lost timeline's.
    for (const call of this.#calls) call.wasLost ||= lost.some(({ tag }) => tag === call.tag && !applied.has(tag));
    for (const call of this.#calls) call.isUndone ||= call.isConfirmed && !applied.has(call.tag);
    this.#world.shard.restore(this.#saved, `e${this.#era}`);
  }

  #mutate(tab: Tab): void {
    const { random, shard } = this.#world;
    const author = this.#identities.get(tab) ?? "";
    const tag = `m${++this.#serial}`;
    const channel = random.pick(CHANNELS) ?? "";
    const id = random.pick([...shard.state.rows.keys()]) ?? "none";
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const made = random.pick([
      ["rows:add", () => tab.client.mutation(add, { tag, author, channel }, options)],
      ["rows:add", () => tab.client.mutation(add, { tag, author, channel }, options)],
      ["mutators:put", () => tab.client.mutate(put, { tag, author, channel }, options)],
      ["rows:move", () => tab.client.mutation(move, { tag, author, id, channel }, options)],
      ["rows:remove", () => tab.client.mutation(remove, { tag, author, id }, options)],
      ["rows:fail", () => tab.client.mutation(fail, { tag, author }, options)],
    ] as const);
    if (made === undefined) return;
    const [path, start] = made;
    const call: Call = {
      tag,
      author,
      tab,
      path,
      channel,
      controller,
      outcome: "pending",
      isSafe: true,
      isConfirmed: false,
      wasLost: false,
      isUndone: false,
    };
    this.#calls.push(call);
    this.#log.push(`${path} ${tag} by ${author}`);
    void start().then(
      () => {
        call.outcome = "resolved";
        this.#checkConfirmed(call);
      },
      (error: unknown) => {
        if (controller.signal.aborted) call.outcome = "aborted";
        else if (isLunoraError(error) && error.code === "OFFLINE_IDENTITY_CHANGED")
          call.outcome = (error.data as { isKept: boolean }).isKept ? "kept" : "aborted";
        else if (isLunoraError(error) && error.code === "CONFLICT") call.outcome = "rejected";
        else throw error;
      },
    );
    // An async mutator takes a few microtasks.
    if (path !== "mutators:put" || !this.#world.hasAsyncMutators) this.#checkShown(call);
    if (random.chance(0.05)) controller.abort(new Error("changed my mind"));
  }

  /** Takes back something that waits, maybe in the middle. */
  #abort(tab: Tab): void {
    const waiting = this.#calls.filter((call) => call.tab === tab && call.outcome === "pending");
    const call = this.#world.random.pick(waiting);
    this.#log.push(`abort ${call?.tag}`);
    call?.controller.abort(new Error("changed my mind"));
  }

  #watch(tab: Tab): void {
    const { random } = this.#world;
    const channel = random.pick(CHANNELS) ?? "";
    const watches = this.#watches.get(tab) ?? [];
    const watch = (
      name: string,
      store: Store<Watch extends never ? never : any>,
      rest: Pick<Watch, "shown" | "truth">,
    ) => {
      const stop = store.subscribe(() => {});
      watches.push({ name, snapshot: () => store.getSnapshot(), stop, ...rest });
      this.#log.push(`watch ${name}`);
    };
    const { client } = tab;
    switch (random.below(4)) {
      case 0: {
        const view = client.liveQuery(list, { channel });
        return watch(`list ${channel}`, view, {
          shown: () => view.getSnapshot().data,
          truth: (rows, identity) => runQuery("rows:list", { channel }, rows, identity),
        });
      }
      case 1: {
        const view = client.liveQuery(count);
        return watch("count", view, {
          shown: () => view.getSnapshot().data,
          truth: (rows, identity) => runQuery("rows:count", {}, rows, identity),
        });
      }
      case 2: {
        const view = client.liveQuery(mine);
        return watch("mine", view, {
          shown: () => view.getSnapshot().data,
          truth: (rows, identity) => runQuery("rows:mine", {}, rows, identity),
        });
      }
      default: {
        const shape = client.shape(inChannel, { channel });
        // What the changes alone make of the shape has to be the shape.
        const mirror = new Map<string, Row>(shape.getSyncedRows());
        const stop = shape.subscribeChanges(({ isReset, changes }) => {
          if (isReset) mirror.clear();
          for (const { id, row } of changes) {
            if (row === undefined) mirror.delete(id);
            else mirror.set(id, row);
          }
        });
        watch(`shape ${channel}`, shape, {
          shown: () => [shape.getSnapshot().rows, mirror].map((rows) => sorted(rows)),
          truth: (rows) => [0, 1].map(() => sorted(shapeRows({ channel }, rows))),
        });
        const last = watches.at(-1);
        if (last) watches[watches.length - 1] = { ...last, stop: () => (stop(), last.stop()) };
      }
    }
  }

  #unwatch(tab: Tab): void {
    const watches = this.#watches.get(tab) ?? [];
    watches.splice(this.#world.random.below(watches.length), 1)[0]?.stop();
  }

  // Rules that hold at every moment

  #checkAlways(): void {
    const { shard } = this.#world;
    if (this.#broken.length > 0) throw new Error(this.#broken.join("; "));
    if (shard.violations.length > 0) throw new Error(`The server saw: ${shard.violations.join("; ")}`);
    const tags = new Set<string>();
    for (const { tag } of shard.state.applied) {
      if (tags.has(tag)) throw new Error(`${tag} took effect twice`);
      tags.add(tag);
    }
    for (const tab of this.#tabs) {
      if (tab.reports.length > 0) throw new Error(`The client reported: ${String(tab.reports[0])}`);
      for (const { name, shown } of this.#watches.get(tab) ?? []) {
        for (const rows of shownRows(shown())) {
          const ids = rows.map(({ tag }) => tag);
          if (new Set(ids).size !== ids.length) throw new Error(`${name} shows a mutation twice: ${ids.join(" ")}`);
        }
      }
    }
    // What is not decided is shown, until it is.
    for (const call of this.#calls) {
      const isWaiting = call.outcome === "pending" && !call.tab.isDead && !tags.has(call.tag) && !call.wasLost;
      if (isWaiting && this.#identities.get(call.tab) === call.author) this.#checkShown(call);
    }
    if (this.#broken.length > 0) throw new Error(this.#broken.join("; "));
  }

  /** An optimistic row is there from the moment the call returns. */
  #checkShown(call: Call): void {
    this.#expectRow(call, "is not shown", (status) => status === "live" || status === "stale");
  }

  /** And is there still, as the server's own row, when the caller is told. */
  #checkConfirmed(call: Call): void {
    if (this.#world.shard.state.applied.at(-1)?.tag !== call.tag) return;
    this.#expectRow(call, "flickers when it is confirmed", (status) => status === "live");
  }

  #expectRow({ tab, tag, path, channel }: Call, what: string, applies: (status: string) => boolean): void {
    const watched = { "rows:add": `list ${channel}`, "mutators:put": `shape ${channel}` }[path];
    for (const { name, snapshot, shown } of this.#watches.get(tab) ?? []) {
      if (name !== watched || !applies(snapshot().status)) continue;
      const [rows] = shownRows(shown());
      if (rows && !rows.some((row) => row.tag === tag)) this.#broken.push(`${tag} ${what} in ${name}`);
    }
  }

  // The end: everything comes to rest

  async #finish(): Promise<void> {
    this.#log.push("finish");
    const { network } = this.#world;
    for (const profile of this.#profiles) profile.fill(false);
    for (const tab of this.#tabs) {
      network.setOnline(tab, true);
      tab.setOnline(true);
    }
    await this.#world.quiet();
    this.#checkAlways();
    this.#checkViews();
    // Every identity comes back to every browser, so that what it left behind is sent.
    for (const profile of this.#profiles) {
      for (const identity of IDENTITIES) {
        const last = this.#openAs(identity, profile);
        await this.#world.quiet(60_000);
        last.kill(0);
        await this.#world.quiet(20_000);
      }
    }
    for (const tab of this.#tabs) {
      for (const identity of [...IDENTITIES, this.#identities.get(tab) ?? ""]) {
        this.#setIdentity(tab, identity);
        await this.#world.quiet(40_000);
      }
    }
    this.#checkAlways();
    this.#checkCalls();
    this.#checkOrder();
    this.#checkViews();
  }

  #checkViews(): void {
    for (const tab of this.#tabs) {
      const identity = this.#identities.get(tab) ?? "";
      if (tab.client.pendingCount.getSnapshot() !== 0)
        throw new Error(
          `${tab.client.pendingCount.getSnapshot()} mutations of ${identity} still wait, ${tab.client.connectionStatus.getSnapshot()}`,
        );
      for (const { name, snapshot, shown, truth } of this.#watches.get(tab) ?? []) {
        const { status, isOptimistic } = snapshot();
        if (status !== "live" || isOptimistic) throw new Error(`${name} is ${status}, optimistic: ${isOptimistic}`);
        const expected = truth(this.#world.shard.state.rows, identity);
        if (!isDeepStrictEqual(shown(), expected))
          throw new Error(`${name} shows ${JSON.stringify(shown())} instead of ${JSON.stringify(expected)}`);
      }
    }
  }

  #checkCalls(): void {
    const applied = new Set(this.#world.shard.state.applied.map(({ tag }) => tag));
    for (const { tag, outcome, isSafe, path, isUndone } of this.#calls) {
      const hasEffect = applied.has(tag);
      if (outcome === "resolved" && !hasEffect && !isUndone) throw new Error(`${tag} was acknowledged and is lost`);
      if (outcome === "rejected" && hasEffect) throw new Error(`${tag} was rejected and took effect`);
      if ((outcome === "pending" || outcome === "kept") && isSafe && !hasEffect && path !== "rows:fail" && !isUndone)
        throw new Error(`${tag} was queued and is lost (${outcome})`);
    }
  }

  /**
   * What one page wrote under one identity took effect in the order of the calls. Only what a storage that
   * failed did not take may arrive, in a late frame, behind what another page found there; and what was taken
   * back, when its page ended before the storage knew that, has no place to keep.
   */
  #checkOrder(): void {
    const place = new Map(this.#calls.map(({ tag }, index) => [tag, index]));
    const last = new Map<string, number>();
    for (const { tag, client } of this.#world.shard.state.applied) {
      const index = place.get(tag) ?? -1;
      const call = this.#calls[index];
      if ((call?.isSafe === false && call.tab.profile.wasFull) || call?.outcome === "aborted") continue;
      if (index < (last.get(client) ?? -1)) throw new Error(`${tag} overtook an earlier mutation of its page`);
      last.set(client, index);
    }
  }
}

function tagOf(stored: unknown): string {
  return (stored as { args: { tag: string } }).args.tag;
}

function sorted(rows: ReadonlyMap<string, unknown>): unknown[] {
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
}

function shownRows(shown: unknown): Row[][] {
  if (!Array.isArray(shown)) return [];
  return Array.isArray(shown[0]) ? (shown as Row[][]) : [shown as Row[]];
}
