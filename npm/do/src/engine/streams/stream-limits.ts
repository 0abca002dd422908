/** Chunks that a durable run may have, and bytes of them. */
export const RUN_CHUNKS = 50_000;
export const RUN_BYTES: number = 64 * 1024 * 1024;

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
