import type { LunoraError, PageResult, Store } from "@lunora/client";

/** What a paginated query function takes, as its argument `paginationOpts`. */
export interface PageRequest {
  readonly numItems: number;
  readonly cursor: string | null;
  /** Present once the page is pinned: it then ends there, however many rows that is. */
  readonly endCursor?: string;
}

/** A page as it is watched: its last answer, or why there is none. */
export interface WatchedPage<Row> {
  readonly data?: PageResult<Row>;
  readonly error?: LunoraError;
}

/** `LoadingFirstPage`, then `CanLoadMore` or `Exhausted`; `LoadingMore` while a further page is on its way. */
export type PaginationStatus = "LoadingFirstPage" | "CanLoadMore" | "LoadingMore" | "Exhausted";

/** What is loaded so far. */
export interface PaginatedState<Row> {
  /** The rows of all loaded pages, in order. */
  readonly results: readonly Row[];
  readonly status: PaginationStatus;
  /** Why a page could not be read. The rows that are there stay. */
  readonly error: LunoraError | undefined;
}

type Watch<Row> = (request: PageRequest) => Store<WatchedPage<Row>>;

/** A page's present store, and the one that is about to take over from it. */
interface Page<Row> {
  readonly request: PageRequest;
  store: Store<WatchedPage<Row>>;
  release: () => void;
  next: { readonly store: Store<WatchedPage<Row>>; readonly release: () => void } | undefined;
  /** Where the page ends; known with its first answer. */
  endCursor: string | undefined;
  /** The last answer that ends where the page ends. */
  result: PageResult<Row> | undefined;
  error: LunoraError | undefined;
}

/**
 * Pages of a live query that fit together. A page asked for by size moves its end whenever a row
 * comes or goes, which would leave gaps before the next page, or rows in both; so every page is
 * watched a second time with its end fixed as soon as that end is known, and grows or shrinks
 * between its two cursors from then on. Its last fitting answer stays in view during the change.
 */
export class PaginatedQuery<Row> implements Store<PaginatedState<Row>> {
  readonly #watch: Watch<Row>;
  readonly #initialNumItems: number;
  readonly #listeners = new Set<() => void>();
  #pages: Page<Row>[] = [];
  /** Requests to go back to when somebody looks again. */
  #requests: readonly PageRequest[];
  #state: PaginatedState<Row>;

  constructor(watch: Watch<Row>, initialNumItems: number) {
    this.#watch = watch;
    this.#initialNumItems = initialNumItems;
    const first = { numItems: initialNumItems, cursor: null };
    this.#requests = [first];
    // What the client still has shows at once.
    this.#state = stateOf([watch(first).getSnapshot().data]);
  }

  readonly getSnapshot = (): PaginatedState<Row> => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#close();
    };
  };

  /** Asks for the next page; says whether there was one to ask for. */
  readonly loadMore = (numItems: number): boolean => {
    const last = this.#pages.at(-1);
    if (last?.endCursor === undefined || last.result === undefined || last.result.isDone) return false;
    this.#addPage({ numItems, cursor: last.endCursor });
    this.#settle();
    return true;
  };

  /** Begins again with the first page. */
  readonly reset = (): void => {
    this.#requests = [{ numItems: this.#initialNumItems, cursor: null }];
    if (this.#listeners.size === 0) return;
    this.#releasePages();
    this.#open();
    this.#settle();
  };

  #open(): void {
    for (const request of this.#requests) this.#addPage(request);
    this.#refresh();
  }

  #close(): void {
    this.#requests = this.#pages.map(({ request, endCursor }) =>
      endCursor === undefined ? request : { ...request, endCursor },
    );
    this.#releasePages();
  }

  #releasePages(): void {
    for (const page of this.#pages) {
      page.release();
      page.next?.release();
    }
    this.#pages = [];
  }

  #addPage(request: PageRequest): void {
    const store = this.#watch(request);
    const page: Page<Row> = {
      request,
      store,
      release: () => {},
      next: undefined,
      endCursor: request.endCursor,
      result: undefined,
      error: undefined,
    };
    this.#pages.push(page);
    page.release = store.subscribe(this.#refresh);
    this.#look(page);
  }

  readonly #refresh = (): void => {
    for (const page of this.#pages) this.#look(page);
    this.#settle();
  };

  /** Takes over what the page's stores have. */
  #look(page: Page<Row>): void {
    const first = page.store.getSnapshot().data;
    if (page.endCursor === undefined && first !== undefined) this.#pin(page, first.continueCursor);
    if (page.next !== undefined && hasAnswered(page.next.store)) {
      page.release();
      page.store = page.next.store;
      page.release = page.next.release;
      page.next = undefined;
    }
    const { data, error } = page.store.getSnapshot();
    page.error = error;
    if (data !== undefined && data.continueCursor === page.endCursor) page.result = data;
  }

  #pin(page: Page<Row>, endCursor: string): void {
    page.endCursor = endCursor;
    const store = this.#watch({ ...page.request, endCursor });
    page.next = { store, release: store.subscribe(this.#refresh) };
  }

  #settle(): void {
    const state = stateOf(
      this.#pages.map(({ result }) => result),
      this.#pages.find(({ error: own }) => own !== undefined)?.error,
    );
    const { results, status, error } = this.#state;
    const isSame =
      state.status === status &&
      state.error === error &&
      state.results.length === results.length &&
      state.results.every((row, position) => row === results[position]);
    if (isSame) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** What pages come to of which some have not answered yet. */
function stateOf<Row>(pages: readonly (PageResult<Row> | undefined)[], error?: LunoraError): PaginatedState<Row> {
  const missing = pages.indexOf(undefined);
  const loaded = (missing < 0 ? pages : pages.slice(0, missing)) as readonly PageResult<Row>[];
  const results = loaded.flatMap(({ page }) => page);
  if (missing >= 0) return { results, status: missing === 0 ? "LoadingFirstPage" : "LoadingMore", error };
  return { results, status: loaded.at(-1)?.isDone === true ? "Exhausted" : "CanLoadMore", error };
}

function hasAnswered(store: Store<WatchedPage<unknown>>): boolean {
  const { data, error } = store.getSnapshot();
  return data !== undefined || error !== undefined;
}
