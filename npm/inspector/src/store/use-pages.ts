import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Refusal } from "../api/refusal.ts";
import type { ListSource } from "../ui/list-source.ts";
import { refusalFrom } from "./use-resource.ts";

/** A part of a list, and the cursor of the next; `null` when there is none. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
}

/** A list that is read page after page, as far as somebody scrolls. */
export interface PagedList<Item> extends ListSource<Item> {
  /** Whether the first page is there. */
  readonly isThere: boolean;
  readonly isComplete: boolean;
  readonly refusal: Refusal | undefined;
  reload(): void;
}

class Pages<Item> {
  items: Item[] = [];
  cursor: string | null = null;
  isThere: boolean = false;
  isLoading: boolean = false;
  /** What is shown is from before a reload. */
  isOld: boolean = false;
  refusal: Refusal | undefined;
}

/** Begins anew when `key` changes; `undefined` asks nothing. */
export function usePages<Item>(
  key: string | undefined,
  load: (cursor: string | undefined) => Promise<Page<Item>>,
): PagedList<Item> {
  const [, changed] = useReducer((round: number) => round + 1, 0);
  const held = useRef<{ key: string | undefined; pages: Pages<Item> }>({ key, pages: new Pages() });
  if (held.current.key !== key) held.current = { key, pages: new Pages() };
  const { pages } = held.current;

  const more = (): void => {
    if (pages.isLoading || pages.refusal !== undefined || (pages.isThere && pages.cursor === null && !pages.isOld))
      return;
    pages.isLoading = true;
    load(pages.cursor ?? undefined)
      .then(({ items, cursor }) => {
        pages.items = pages.isOld ? [...items] : pages.items.concat(items);
        pages.isOld = false;
        pages.cursor = cursor;
        pages.isThere = true;
      })
      .catch((error: unknown) => (pages.refusal = refusalFrom(error)))
      .finally(() => {
        pages.isLoading = false;
        changed(undefined);
      });
  };
  useEffect(() => {
    if (key !== undefined) more();
  }, [pages]);

  const isComplete = pages.isThere && pages.cursor === null && !pages.isOld;
  return {
    // One more row stands for what is not read yet.
    length: pages.items.length + (isComplete || !pages.isThere || pages.isOld ? 0 : 1),
    at: (index) => pages.items[index],
    want: (_first, end) => {
      if (end >= pages.items.length) more();
    },
    isThere: pages.isThere,
    isComplete,
    refusal: pages.refusal,
    reload: () => {
      const fresh = new Pages<Item>();
      fresh.items = pages.items;
      fresh.isThere = pages.isThere;
      fresh.isOld = true;
      held.current = { key, pages: fresh };
      changed(undefined);
    },
  };
}
