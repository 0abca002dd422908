/** Pages of a log that is read by position, newest first: row 0 is the head. */
export interface SeqRange {
  readonly floor: number;
  readonly head: number;
}

/** How many rows the range has. */
export function rowsOf({ floor, head }: SeqRange): number {
  return Math.max(0, head - floor + 1);
}

/** The pages, numbered from position 0 on, that rows `first` up to but not `end` lie in. */
export function pagesOf(first: number, end: number, range: SeqRange, pageSize: number): number[] {
  if (end <= first) return [];
  const newest = Math.floor((range.head - first) / pageSize);
  const oldest = Math.floor((range.head - (end - 1)) / pageSize);
  return Array.from({ length: newest - oldest + 1 }, (_, index) => newest - index);
}

/** The least recently used pages beyond `keep`: `order` has the most recently used last. */
export function tooMany(order: readonly number[], keep: number): readonly number[] {
  return order.slice(0, Math.max(0, order.length - keep));
}
