import { useRef } from "preact/hooks";

interface Counted {
  readonly key: string;
  last: number;
  added: number;
}

/**
 * How many items were ever added at the end of a list, since `key` last changed: what a list that shows the newest first
 * has to move by. It goes on counting when the oldest are let go of. `numberOf` has to increase along the list.
 */
export function useAdded<Item>(key: string, items: readonly Item[], numberOf: (item: Item) => number): number {
  const counted = useRef<Counted>({ key, last: -Infinity, added: 0 });
  if (counted.current.key !== key) counted.current = { key, last: -Infinity, added: 0 };
  const { current } = counted;
  let index = items.length;
  for (; index > 0; index -= 1) {
    const item = items[index - 1];
    if (item === undefined || numberOf(item) <= current.last) break;
  }
  current.added += items.length - index;
  const newest = items.at(-1);
  if (newest !== undefined) current.last = Math.max(current.last, numberOf(newest));
  return current.added;
}
