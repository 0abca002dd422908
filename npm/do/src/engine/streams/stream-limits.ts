/** How much durable streams keep. */
export interface StreamLimits {
  /** Chunks of one run. */
  readonly chunks: number;
  /** Bytes of one run's chunks. */
  readonly bytes: number;
  /** Bytes of all runs of a shard; each chunk and each run counts {@link PLACE_BYTES} more. */
  readonly keptBytes: number;
  /** How long a run goes on that nobody hears, milliseconds. */
  readonly unheardMs: number;
}

/** Without `streams` in `defineApp`. */
export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  chunks: 50_000,
  bytes: 64 * 1024 * 1024,
  keptBytes: 512 * 1024 * 1024,
  unheardMs: 60 * 60 * 1000,
};

/** What a chunk, or a run, takes besides its text: so that many small ones are not for nothing. */
export const PLACE_BYTES = 64;

/** The longest that a timer of the platform waits, milliseconds. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** What may wait to be stored and sent; the generator is not asked for more before. Chunks and bytes. */
export const FRESH_CHUNKS = 64;
export const FRESH_BYTES: number = 256 * 1024;

/** Open streams of one socket, and runs of one shard. */
export const SOCKET_STREAMS = 32;
export const SHARD_RUNS = 500;

/** Bytes that may wait for a reader before it gets no more, and how often it is looked at then, milliseconds. */
export const CLOGGED_BYTES: number = 1024 * 1024;
export const CLOGGED_PAUSE = 50;

/** Stored chunks that are read at once, and characters that one reader is sent before others have a turn. */
export const READ_CHUNKS = 16;
export const TURN_LENGTH = 500_000;

/** Stored chunks that one pass of the sweep removes. */
export const SWEEP_CHUNKS = 5_000;
