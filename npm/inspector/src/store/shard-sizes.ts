import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import type { ShardDetail, ShardSummary } from "../api/shards.ts";
import { dueSizes } from "../logic/due-sizes.ts";
import type { ReadSize } from "../logic/due-sizes.ts";
import { api } from "./api.ts";
import { lastWritten } from "./timeline.ts";
import { refusalFrom } from "./use-resource.ts";

/** Shards that are asked at a time; a browser opens six connections to a host. */
const TOGETHER = 4;
/** How long the same shards have to be seen, milliseconds: who scrolls through thousands wakes none of them. */
const SETTLED = 150;

/** What was read of shards, by name. Read {@link sizesVersion} beside it: that is what changes. */
export const sizes: Map<string, ReadSize> = new Map();
export const sizesVersion: Signal<number> = signal(0);

const underway = new Set<string>();
let seen: readonly ShardSummary[] = [];
let isSettled = false;
let wanted: readonly string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function keep(name: string, size: ReadSize): void {
  sizes.set(name, size);
  sizesVersion.value += 1;
}

/** Takes what a shard says of itself. */
export function keepSize({ name, bytes, tables }: ShardDetail): void {
  const own = tables.filter(({ isInternal }) => !isInternal);
  const rows = own.reduce((sum, table) => sum + table.rows, 0);
  keep(name, { at: Date.now(), bytes, rows, isAtLeast: own.some(({ isAtLeast }) => isAtLeast === true) });
}

async function read(name: string): Promise<void> {
  underway.add(name);
  try {
    keepSize(await api.inspect<ShardDetail>("shard", { object: name }));
  } catch (error) {
    keep(name, { at: Date.now(), code: refusalFrom(error).code });
  } finally {
    underway.delete(name);
    readNext();
  }
}

function readNext(): void {
  while (underway.size < TOGETHER && wanted.length > 0) {
    const [name = "", ...others] = wanted;
    wanted = others;
    void read(name);
  }
}

function settle(): void {
  isSettled = true;
  const due = seen.map(({ name, activity }) => ({
    name,
    lastWriteAt: lastWritten.get(name) ?? activity?.lastWriteAt ?? undefined,
  }));
  wanted = dueSizes(due, sizes, Date.now()).filter((name) => !underway.has(name));
  readNext();
}

/** Told which shards are seen: their sizes are read when they stay so, those that are not seen any more are not. */
export function wantSizes(shards: readonly ShardSummary[]): void {
  const isSame = shards.length === seen.length && shards.every(({ name }, index) => name === seen[index]?.name);
  seen = shards;
  if (!isSame) {
    isSettled = false;
    wanted = [];
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLED);
  } else if (isSettled && wanted.length === 0) settle();
}
