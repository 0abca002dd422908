/** What was read of a shard. */
export interface ReadSize {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly bytes?: number;
  /** Rows of the app's own tables. */
  readonly rows?: number;
  /** There are more rows than were counted. */
  readonly isAtLeast?: boolean;
  /** Why it could not be read. */
  readonly code?: string;
}

/** How long a size stands although more was written, milliseconds: reading wakes the object and counts its rows. */
const STANDS = 15_000;

interface Seen {
  readonly name: string;
  /** Epoch milliseconds; `undefined` where no write was heard of. */
  readonly lastWriteAt: number | undefined;
}

/** The shards among those that are seen of which the size is not known, or is old and from before a write. */
export function dueSizes(seen: readonly Seen[], read: ReadonlyMap<string, ReadSize>, now: number): string[] {
  return seen
    .filter(({ name, lastWriteAt = 0 }) => {
      const known = read.get(name);
      return known === undefined || (now - known.at > STANDS && lastWriteAt >= known.at);
    })
    .map(({ name }) => name);
}
