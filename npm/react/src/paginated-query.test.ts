import type { PageResult, Store } from "@lunora/client";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import { PaginatedQuery } from "./paginated-query.ts";
import type { PageRequest, WatchedPage } from "./paginated-query.ts";

/** Numbers in ascending order, read by pages as the database reads them. */
class Numbers {
  readonly #rows = new Set<number>();
  readonly #watched = new Map<string, WatchedNumbers>();

  constructor(rows: readonly number[]) {
    for (const row of rows) this.#rows.add(row);
  }

  get rows(): number[] {
    return [...this.#rows].sort((one, other) => one - other);
  }

  /** What a change writes, all views show: those that were answered before. */
  change(add: readonly number[], remove: readonly number[]): void {
    for (const row of add) this.#rows.add(row);
    for (const row of remove) this.#rows.delete(row);
    const answered = [...this.#watched.values()].filter(({ isAnswered }) => isAnswered);
    for (const view of answered) view.read();
    for (const view of answered) view.tell();
  }

  readonly watch = (request: PageRequest): Store<WatchedPage<number>> => {
    const key = JSON.stringify(request);
    const view = this.#watched.get(key) ?? new WatchedNumbers(() => this.read(request));
    this.#watched.set(key, view);
    return view;
  };

  /** Answers what has been asked, the oldest first. */
  answer(count = Infinity): void {
    const open = [...this.#watched.values()].filter(({ isAnswered, isWatched }) => !isAnswered && isWatched);
    for (const view of open.slice(0, count)) {
      view.read();
      view.tell();
    }
  }

  get isAnswered(): boolean {
    return [...this.#watched.values()].every(({ isAnswered, isWatched }) => isAnswered || !isWatched);
  }

  get watched(): number {
    return [...this.#watched.values()].filter(({ isWatched }) => isWatched).length;
  }

  read({ numItems, cursor, endCursor }: PageRequest): PageResult<number> {
    if (cursor === "end") return { page: [], isDone: true, continueCursor: "end" };
    const following = this.rows.filter((row) => cursor === null || row > Number(cursor));
    if (endCursor === "end") return { page: following, isDone: true, continueCursor: endCursor };
    if (endCursor !== undefined) {
      const page = following.filter((row) => row <= Number(endCursor));
      return { page, isDone: false, continueCursor: endCursor };
    }
    const page = following.slice(0, numItems);
    const isDone = following.length <= numItems;
    return { page, isDone, continueCursor: isDone ? "end" : String(page.at(-1)) };
  }
}

class WatchedNumbers implements Store<WatchedPage<number>> {
  readonly #read: () => PageResult<number>;
  readonly #listeners = new Set<() => void>();
  #snapshot: WatchedPage<number> = {};

  constructor(read: () => PageResult<number>) {
    this.#read = read;
  }

  get isAnswered(): boolean {
    return this.#snapshot.data !== undefined;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  read(): void {
    this.#snapshot = { data: this.#read() };
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  getSnapshot(): WatchedPage<number> {
    return this.#snapshot;
  }
}

/** Answers until nothing is asked any more. */
function settle(numbers: Numbers): void {
  while (!numbers.isAnswered) numbers.answer();
}

function shown(query: PaginatedQuery<number>): readonly number[] {
  return query.getSnapshot().results;
}

describe("pages", () => {
  it("load one after the other until there are no more", () => {
    const numbers = new Numbers([1, 2, 3, 4, 5]);
    const query = new PaginatedQuery(numbers.watch, 2);
    expect(query.getSnapshot().status).toBe("LoadingFirstPage");
    query.subscribe(() => {});
    expect(query.loadMore(2)).toBe(false);
    settle(numbers);
    expect(query.getSnapshot()).toEqual({ results: [1, 2], status: "CanLoadMore", error: undefined });
    expect(query.loadMore(2)).toBe(true);
    expect(query.getSnapshot()).toMatchObject({ results: [1, 2], status: "LoadingMore" });
    expect(query.loadMore(2)).toBe(false);
    settle(numbers);
    expect(query.loadMore(9)).toBe(true);
    settle(numbers);
    expect(query.getSnapshot()).toEqual({ results: [1, 2, 3, 4, 5], status: "Exhausted", error: undefined });
    expect(query.loadMore(9)).toBe(false);
  });

  it("grow and shrink between their ends", () => {
    const numbers = new Numbers([10, 20, 30, 40]);
    const query = new PaginatedQuery(numbers.watch, 2);
    query.subscribe(() => {});
    settle(numbers);
    query.loadMore(1);
    settle(numbers);
    numbers.change([5, 15, 25], [20]);
    expect(shown(query)).toEqual([5, 10, 15, 25, 30]);
    numbers.change([50], []);
    expect(shown(query)).toEqual([5, 10, 15, 25, 30]);
    query.loadMore(10);
    settle(numbers);
    expect(shown(query)).toEqual([5, 10, 15, 25, 30, 40, 50]);
    numbers.change([60], []);
    expect(shown(query)).toEqual([5, 10, 15, 25, 30, 40, 50, 60]);
  });

  it("tell nobody when nothing changed, and keep the array", () => {
    const numbers = new Numbers([1, 2, 3]);
    const query = new PaginatedQuery(numbers.watch, 2);
    let told = 0;
    query.subscribe(() => told++);
    settle(numbers);
    const before = { results: shown(query), told };
    numbers.change([9], []);
    expect({ results: shown(query), told }).toEqual(before);
    expect(shown(query)).toBe(before.results);
  });

  it("are let go when nobody looks, and found again as they were", () => {
    const numbers = new Numbers([1, 2, 3, 4, 5]);
    const query = new PaginatedQuery(numbers.watch, 2);
    const stop = query.subscribe(() => {});
    settle(numbers);
    query.loadMore(2);
    settle(numbers);
    stop();
    expect(numbers.watched).toBe(0);
    expect(shown(query)).toEqual([1, 2, 3, 4]);
    numbers.change([0], []);
    query.subscribe(() => {});
    settle(numbers);
    expect(shown(query)).toEqual([0, 1, 2, 3, 4]);
    expect(numbers.watched).toBe(2);
  });

  it("show at once what is still there", () => {
    const numbers = new Numbers([1, 2, 3]);
    const one = new PaginatedQuery(numbers.watch, 2);
    one.subscribe(() => {});
    settle(numbers);
    const another = new PaginatedQuery(numbers.watch, 2);
    expect(another.getSnapshot()).toEqual({ results: [1, 2], status: "CanLoadMore", error: undefined });
    let told = 0;
    another.subscribe(() => told++);
    expect(told).toBe(0);
    expect(shown(another)).toEqual([1, 2]);
  });

  it("begin again with the first", () => {
    const numbers = new Numbers([1, 2, 3, 4, 5]);
    const query = new PaginatedQuery(numbers.watch, 2);
    query.subscribe(() => {});
    settle(numbers);
    query.loadMore(2);
    settle(numbers);
    numbers.change([0], []);
    query.reset();
    settle(numbers);
    expect(query.getSnapshot()).toMatchObject({ results: [0, 1], status: "CanLoadMore" });
  });

  it("fit together whatever comes, goes and arrives late", () => {
    const row = fc.integer({ min: 0, max: 60 });
    const command = fc.oneof(
      fc.record({ add: fc.array(row, { maxLength: 4 }), remove: fc.array(row, { maxLength: 4 }) }),
      fc.record({ answer: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ more: fc.integer({ min: 1, max: 5 }) }),
    );
    checkProperty(
      fc.property(fc.array(row), fc.array(command, { maxLength: 40 }), (rows, commands) => {
        const numbers = new Numbers(rows);
        const query = new PaginatedQuery(numbers.watch, 3);
        query.subscribe(() => {});
        for (const step of commands) {
          if ("answer" in step) numbers.answer(step.answer);
          else if ("more" in step) query.loadMore(step.more);
          else numbers.change(step.add, step.remove);
          const results = shown(query);
          expect(results).toEqual([...new Set(results)].sort((one, other) => one - other));
        }
        settle(numbers);
        const { results, status } = query.getSnapshot();
        const all = numbers.rows;
        expect(results).toEqual(all.slice(0, results.length));
        if (status === "Exhausted") expect(results).toEqual(all);
        while (query.loadMore(5)) settle(numbers);
        expect(query.getSnapshot()).toMatchObject({ results: all, status: "Exhausted" });
      }),
    );
  });
});
