/** Where a view is. */
export interface ViewPosition {
  /** As the client sent them: anything. */
  readonly checkpoint: unknown;
  readonly epoch: unknown;
  readonly version: unknown;
}

/** Where the shard and the shape are. */
export interface ShardPosition {
  readonly head: number;
  readonly epoch: string;
  readonly version: string;
}

/** Why a view cannot be continued. */
export type ResetCause = "new" | "garbage" | "epoch" | "ahead" | "version" | "trimmed";

/**
 * Whether a view can be continued from its checkpoint, as far as that can be told without the log;
 * a log that no longer reaches back to it (`trimmed`) decides the rest.
 */
export function causeOfReset(view: ViewPosition, shard: ShardPosition): ResetCause | undefined {
  const { checkpoint } = view;
  if (checkpoint === undefined) return "new";
  if (!Number.isSafeInteger(checkpoint) || (checkpoint as number) < 0) return "garbage";
  if (view.epoch !== shard.epoch) return "epoch";
  if ((checkpoint as number) > shard.head) return "ahead";
  return view.version === shard.version ? undefined : "version";
}
