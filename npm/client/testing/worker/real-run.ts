/// <reference types="node" />
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";

import { functionReference, shapeReference } from "@lunora/protocol";
import type { Address, FunctionReference, ShapeReference } from "@lunora/protocol";

import { isLunoraError, LunoraClient } from "../../src/index.ts";
import { offline } from "../../src/offline.ts";
import { pageDeltas } from "../../src/page-deltas.ts";
import { shapes } from "../../src/shapes.ts";
import { BrowserProfile } from "../browser-profile.ts";
import type { Cable } from "../cable.ts";
import { Random } from "../random.ts";

const IDENTITIES = ["ada", "bob"];
const CHANNELS = ["a", "b"];

interface Row {
  readonly _id: string;
  readonly channel: string;
  readonly tag: string;
}
interface Written {
  readonly world: string;
  readonly tag: string;
  readonly author: string;
}
type Query<Arguments, Result> = FunctionReference<"query", Arguments, Result, "public">;
type Mutation<Arguments> = FunctionReference<"mutation", Arguments, string | null, "public">;

const address: Address = { kind: "argument", argument: "world", field: "world" };
const list: Query<{ world: string; channel: string }, Row[]> = functionReference("rows:list", "query", address);
const count: Query<{ world: string }, number> = functionReference("rows:count", "query", address);
const effects: Query<{ world: string }, { tag: string; place: number }[]> = functionReference(
  "rows:effects",
  "query",
  address,
);
const add: Mutation<Written & { channel: string }> = functionReference("rows:add", "mutation", address);
const put: Mutation<Written & { channel: string }> = functionReference("mutators:put", "mutation", address);
const remove: Mutation<Written & { id: string }> = functionReference("rows:remove", "mutation", address);
const fail: Mutation<Written> = functionReference("rows:fail", "mutation", address);
const inChannel: ShapeReference<{ world: string; channel: string }, Row> = shapeReference("inChannel", "rows", address);

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until nothing throws any more. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(25);
    }
  }
}

interface Page {
  readonly client: LunoraClient;
  readonly profile: BrowserProfile;
  readonly author: string;
  readonly watched: (() => readonly [
    shown: unknown,
    status: string,
    isOptimistic: boolean,
    truth: () => Promise<unknown>,
  ])[];
  readonly reports: unknown[];
}

/** Does something to the server, or to the object, instead of cutting the cable. */
export type Disturb = (random: Random, object: string) => Promise<void>;

/** Pages of two browsers against real objects, whose connections are really cut and whose process is really killed. */
export class RealRun {
  readonly #random: Random;
  readonly #world: string;
  readonly #profiles = [new BrowserProfile(), new BrowserProfile()];
  readonly #oracle: LunoraClient;
  readonly #cable: Cable;
  readonly #pages = new Set<Page>();
  readonly #outcomes = new Map<string, string>();
  readonly #pageOf = new Map<string, Page>();
  #serial = 0;

  readonly #restart: () => Promise<void>;
  readonly #disturb: Disturb | undefined;

  constructor(seedOfRun: number, cable: Cable, restart: () => Promise<void>, disturb?: Disturb) {
    this.#restart = restart;
    this.#disturb = disturb;
    this.#random = new Random(seedOfRun);
    this.#world = `w${seedOfRun}`;
    this.#cable = cable;
    this.#oracle = new LunoraClient({ url: cable.url, transport: "http" });
  }

  readonly #networkListeners = new Set<(isOnline: boolean) => void>();

  #setOnline(isOnline: boolean): void {
    this.#cable.isOnline = isOnline;
    if (!isOnline) this.#cable.cut();
    for (const listener of this.#networkListeners) listener(isOnline);
  }

  async run(commands: number): Promise<void> {
    for (let place = 0; place < commands; place++) await this.#command();
    this.#setOnline(true);
    // What killed pages left is found by those that open later.
    for (const profile of this.#profiles) for (const author of IDENTITIES) this.#open(author, profile);
    await eventually(() => this.#checkRest());
    await this.#checkEffects();
    for (const { client, reports } of this.#pages) {
      client.close();
      deepEqual(reports, []);
    }
  }

  async #command(): Promise<void> {
    const random = this.#random;
    const page = random.pick([...this.#pages]);
    const dice = random.below(100);
    if (page === undefined || (dice < 8 && this.#pages.size < 4))
      this.#open(random.pick(IDENTITIES) ?? "", random.pick(this.#profiles) as BrowserProfile);
    else if (dice < 45) this.#mutate(page);
    else if (dice < 60) this.#watch(page);
    else if (dice < 75) await pause(random.below(60));
    else if (dice < 86 && this.#disturb !== undefined) await this.#disturb(random, `world=${this.#world}`);
    else if (dice < 82) this.#cable.cut();
    else if (dice < 86) this.#setOnline(!this.#cable.isOnline);
    else if (dice < 90) this.#kill(page);
    else if (dice < 91) await this.#restart();
    else await pause(random.below(10));
  }

  #open(author: string, profile: BrowserProfile): void {
    const reports: unknown[] = [];
    const watched: Page["watched"] = [];
    const owner = {};
    const page: Page = {
      author,
      profile,
      reports,
      watched,
      client: new LunoraClient({
        url: this.#cable.url,
        token: author,
        shapes,
        pageDeltas,
        offline: offline({ storage: profile.storageOf(owner) }),
        environment: {
          locks: profile.locksOf(owner),
          random: this.#random.next,
          onNetworkChange: (listener) => {
            this.#networkListeners.add(listener);
            return () => void this.#networkListeners.delete(listener);
          },
          report: (error) => void reports.push(error),
        },
      }),
    };
    owners.set(page, owner);
    page.client.registerOptimistic(add, (store, { world, channel, tag }) => {
      const rows = store.getQuery(list, { world, channel });
      const _id = store.deriveId("rows", 0);
      if (rows && !rows.some((row) => row._id === _id))
        store.setQuery(list, { world, channel }, [...rows, { _id, channel, tag }]);
    });
    page.client.registerMutator(put, async ({ db }, args) => {
      const rows = await db.rows("rows");
      if (!rows.some(({ tag }) => tag === args.tag)) await db.insert("rows", args);
    });
    this.#pages.add(page);
  }

  #kill(page: Page): void {
    this.#pages.delete(page);
    page.client.close();
    const owner = owners.get(page);
    if (owner) page.profile.close(owner);
    for (const [tag, outcome] of this.#outcomes)
      if (outcome === "pending" && this.#pageOf.get(tag) === page) this.#outcomes.set(tag, "orphaned");
  }

  #mutate({ client, author }: Page): void {
    const tag = `m${++this.#serial}`;
    const written = { world: this.#world, tag, author, channel: this.#random.pick(CHANNELS) ?? "" };
    const { channel: _, ...bare } = written;
    const calls = [
      () => client.mutation(add, written),
      () => client.mutate(put, written),
      () => (this.#lastId ? client.mutation(remove, { ...bare, id: this.#lastId }) : client.mutation(add, written)),
      () => client.mutation(fail, bare),
    ];
    this.#outcomes.set(tag, "pending");
    for (const page of this.#pages) if (page.client === client) this.#pageOf.set(tag, page);
    const call = this.#random.pick(calls);
    void call?.().then(
      (id) => {
        this.#outcomes.set(tag, "resolved");
        if (typeof id === "string") this.#lastId = id;
      },
      (error: unknown) => this.#outcomes.set(tag, isLunoraError(error) ? error.code : String(error)),
    );
  }

  #lastId: string | undefined;

  #watch({ client, watched }: Page): void {
    const args = { world: this.#world, channel: this.#random.pick(CHANNELS) ?? "" };
    const { world } = args;
    const rows = client.liveQuery(list, args);
    const counted = client.liveQuery(count, { world });
    const shape = client.shape(inChannel, args);
    const watch = this.#random.pick<Page["watched"][number]>([
      () => {
        const { data, status, isOptimistic } = rows.getSnapshot();
        return [data, status, isOptimistic, () => this.#oracle.query(list, args)];
      },
      () => {
        const { data, status, isOptimistic } = counted.getSnapshot();
        return [data, status, isOptimistic, () => this.#oracle.query(count, { world })];
      },
      () => {
        const { status, isOptimistic } = shape.getSnapshot();
        return [byId(shape.getRows()), status, isOptimistic, async () => byId(await this.#oracle.query(list, args))];
      },
    ]);
    for (const store of [rows, counted, shape]) store.subscribe(() => {});
    if (watch) watched.push(watch);
  }

  async #checkRest(): Promise<void> {
    for (const { client, watched } of this.#pages) {
      equal(client.pendingCount.getSnapshot(), 0);
      for (const look of watched) {
        const [shown, status, isOptimistic, truth] = look();
        deepEqual([status, isOptimistic], ["live", false]);
        deepEqual(shown, await truth());
      }
    }
    for (const profile of this.#profiles) deepEqual(await profile.stored("o/"), []);
  }

  async #checkEffects(): Promise<void> {
    const log = (await this.#oracle.query(effects, { world: this.#world })).sort(
      (left, right) => left.place - right.place,
    );
    const tags = log.map(({ tag }) => tag);
    equal(new Set(tags).size, tags.length);
    const last = new Map<Page | undefined, number>();
    for (const tag of tags) {
      const page = this.#pageOf.get(tag);
      ok(Number(tag.slice(1)) > (last.get(page) ?? 0), `${tag} overtook an earlier mutation of its page`);
      last.set(page, Number(tag.slice(1)));
    }
    for (const [tag, outcome] of this.#outcomes) {
      if (outcome === "resolved") ok(tags.includes(tag), `${tag} was acknowledged and is lost`);
      else if (outcome === "orphaned") continue;
      else deepEqual([tag, outcome, tags.includes(tag)], [tag, "CONFLICT", false]);
    }
  }
}

const owners = new WeakMap<Page, object>();

function byId(rows: readonly Row[]): Row[] {
  return [...rows].sort((left, right) => (left._id < right._id ? -1 : 1));
}
