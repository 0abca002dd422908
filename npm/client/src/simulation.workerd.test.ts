/// <reference types="node" />
import { functionReference, shapeReference } from "@lunora/protocol";
import type { Address, FunctionReference, ShapeReference } from "@lunora/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { NAMESPACES } from "../../do/testing/client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { BrowserProfile } from "../testing/browser-profile.ts";
import { Cable } from "../testing/cable.ts";
import { Random } from "../testing/random.ts";
import { isLunoraError, LunoraClient } from "./index.ts";
import { shapes } from "./shapes.ts";

const RUNS = 20;
const COMMANDS = 60;
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

let worker: TestWorker;
beforeAll(async () => {
  const entry = new URL("../testing/worker/app.ts", import.meta.url).pathname;
  worker = await TestWorker.start({ entry, namespaces: NAMESPACES });
});
afterAll(() => worker?.stop());

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

/** Pages of two browsers against real objects, whose connections are really cut and whose process is really killed. */
class RealRun {
  readonly #random: Random;
  readonly #world: string;
  readonly #profiles = [new BrowserProfile(), new BrowserProfile()];
  readonly #oracle: LunoraClient;
  readonly #cable: Cable;
  readonly #pages = new Set<Page>();
  readonly #outcomes = new Map<string, string>();
  readonly #pageOf = new Map<string, Page>();
  #serial = 0;

  constructor(seedOfRun: number, cable: Cable) {
    this.#random = new Random(seedOfRun);
    this.#world = `w${seedOfRun}`;
    this.#cable = cable;
    this.#oracle = new LunoraClient({ url: cable.url, transport: "http" });
  }

  async run(): Promise<void> {
    for (let place = 0; place < COMMANDS; place++) await this.#command();
    this.#cable.isOnline = true;
    // What killed pages left is found by those that open later.
    for (const profile of this.#profiles) for (const author of IDENTITIES) this.#open(author, profile);
    await eventually(() => this.#checkRest());
    await this.#checkEffects();
    for (const { client, reports } of this.#pages) {
      client.close();
      expect(reports).toEqual([]);
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
    else if (dice < 82) this.#cable.cut();
    else if (dice < 86) {
      this.#cable.isOnline = !this.#cable.isOnline;
      if (!this.#cable.isOnline) this.#cable.cut();
    } else if (dice < 90) this.#kill(page);
    else if (dice < 91) await worker.restart();
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
        storage: profile.storageOf(owner),
        environment: {
          locks: profile.locksOf(owner),
          random: this.#random.next,
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
    page.client.registerMutator(put, ({ db }, args) => void db.insert("rows", { ...args }));
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
      expect(client.pendingCount.getSnapshot()).toBe(0);
      for (const look of watched) {
        const [shown, status, isOptimistic, truth] = look();
        expect([status, isOptimistic]).toEqual(["live", false]);
        expect(shown).toEqual(await truth());
      }
    }
    for (const profile of this.#profiles) expect(await profile.stored("o/")).toEqual([]);
  }

  async #checkEffects(): Promise<void> {
    const log = (await this.#oracle.query(effects, { world: this.#world })).sort(
      (left, right) => left.place - right.place,
    );
    const tags = log.map(({ tag }) => tag);
    expect(new Set(tags).size).toBe(tags.length);
    const last = new Map<Page | undefined, number>();
    for (const tag of tags) {
      const page = this.#pageOf.get(tag);
      expect(Number(tag.slice(1))).toBeGreaterThan(last.get(page) ?? 0);
      last.set(page, Number(tag.slice(1)));
    }
    for (const [tag, outcome] of this.#outcomes) {
      if (outcome === "resolved") expect(tags).toContain(tag);
      else if (outcome === "orphaned") continue;
      else expect([tag, outcome, tags.includes(tag)]).toEqual([tag, "CONFLICT", false]);
    }
  }
}

const owners = new WeakMap<Page, object>();

function byId(rows: readonly Row[]): Row[] {
  return [...rows].sort((left, right) => (left._id < right._id ? -1 : 1));
}

it(`keeps every promise in ${RUNS} runs of ${COMMANDS} commands against workerd`, { timeout: 600_000 }, async () => {
  const cable = await Cable.lay(() => Number(new URL(worker.origin).port));
  try {
    for (let run = 0; run < RUNS; run++) {
      try {
        cable.isOnline = true;
        await new RealRun(seed + run, cable).run();
      } catch (error) {
        throw new Error(`LUNORA_SEED=${seed} run ${run}`, { cause: error });
      }
    }
  } finally {
    await cable.remove();
  }
});
