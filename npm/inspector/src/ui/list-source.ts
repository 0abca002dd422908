/** Rows of a list, some of which may not be there yet. */
export interface ListSource<Item> {
  readonly length: number;
  /** `undefined` while it is being read. */
  at(index: number): Item | undefined;
  /** Told which rows are looked at, `first` up to but not `end`. */
  want?(first: number, end: number): void;
}

/** A list that is there, from its first. */
export function listOf<Item>(items: readonly Item[]): ListSource<Item> {
  return { length: items.length, at: (index) => items[index] };
}

/** A list that is there, from its last. */
export function newestFirst<Item>(items: readonly Item[]): ListSource<Item> {
  return { length: items.length, at: (index) => items[items.length - 1 - index] };
}
