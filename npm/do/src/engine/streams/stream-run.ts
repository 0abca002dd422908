import type { ErrorBody } from "@lunora/errors";
import { LunoraError } from "@lunora/errors";
import { encodeValue, FRAME_BYTES } from "@lunora/protocol";

import { isLonger } from "../sockets/pack-frames.ts";
import { asLostGroup } from "../storage-failure.ts";
import { newRun, step } from "./run-step.ts";
import type { RunEffect, RunEvent, RunState } from "./run-step.ts";
import { CLOGGED_BYTES, CLOGGED_PAUSE, LONGEST_TIMER, READ_CHUNKS, TURN_LENGTH } from "./stream-limits.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { OpenedStream, StreamHost } from "./stream-host.ts";
import { chunkFrame, sendEnd } from "./stream-reader.ts";
import type { StreamReader } from "./stream-reader.ts";
import { bytesOf } from "./transcripts.ts";
import type { ChunkText, Transcripts } from "./transcripts.ts";

/** Room for the id, the generation and the rest of a frame around a chunk, bytes. */
const FRAME_HEAD = 8_192;

/** What a run is of. */
export interface RunSpec {
  readonly functionPath: string;
  readonly limits: StreamLimits;
  /** Names a run whose chunks are kept. */
  readonly generation: string | undefined;
  /** A run that ended before, and is only read. */
  readonly stored?: { readonly chunks: number; readonly error?: ErrorBody };
}

/** A run and its readers. What to do next is decided by `step`. */
export class StreamRun {
  readonly #host: StreamHost;
  readonly #transcripts: Transcripts;
  readonly #spec: RunSpec;
  readonly #onTold: (reader: StreamReader) => void;
  readonly #readers = new Set<StreamReader>();
  readonly #abort = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #state: RunState;
  #opened: OpenedStream | undefined;
  #iterator: AsyncIterator<unknown> | undefined;
  #fresh: ChunkText[] = [];
  /** Chunks that are stored, or sent where nothing is stored. */
  #stored = 0;
  #error: ErrorBody | undefined;
  #hasEnded = false;
  /** Somebody hears it, or it is over. */
  #stopCountDown: (() => void) | undefined;

  /** `onTold`: the reader has been told the end. */
  constructor(host: StreamHost, transcripts: Transcripts, spec: RunSpec, onTold: (reader: StreamReader) => void) {
    this.#host = host;
    this.#onTold = onTold;
    this.#transcripts = transcripts;
    this.#spec = spec;
    this.#state = newRun(spec.generation !== undefined, spec.limits);
    const { stored } = spec;
    if (stored !== undefined) {
      this.#state = { ...this.#state, phase: "complete" };
      this.#stored = stored.chunks;
      this.#error = stored.error;
      this.#hasEnded = true;
    }
  }

  /** Settles when the run has ended and every reader has left or been told. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get isRunning(): boolean {
    return this.#state.phase === "running";
  }

  get chunks(): number {
    return this.#stored;
  }

  get generation(): string | undefined {
    return this.#spec.generation;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(opened: OpenedStream): void {
    this.#opened = opened;
    this.#iterator = opened.iterable[Symbol.asyncIterator]();
    // Whoever asked for it may have left while it was made.
    if (this.isRunning) this.#step({ type: "started" });
    else this.#stop();
  }

  /** The generator could not be made. */
  fail(error: unknown): void {
    if (!this.isRunning) return;
    this.#error = this.#host.failure(this.#spec.functionPath, error);
    this.#step({ type: "threw" });
  }

  join(reader: StreamReader): void {
    this.#readers.add(reader);
    this.#step({ type: "joined" });
    this.#send(reader);
  }

  /** The reader wants no more, or is gone. */
  leave(reader: StreamReader): void {
    if (!this.#readers.delete(reader)) return;
    this.#step({ type: "left" });
    this.#settle();
  }

  #step(event: RunEvent): void {
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#act(effect);
  }

  #act(effect: RunEffect): void {
    switch (effect) {
      case "pull":
        void this.#pull();
        return;
      case "flushSoon":
        this.#host.later(0, () => this.#flush());
        return;
      case "tooLong":
        this.#fresh.pop();
        this.#error = this.#host.failure(this.#spec.functionPath, tooLong(this.#spec.limits));
        return;
      case "countDown":
        this.#stopCountDown = this.#host.later(Math.min(this.#spec.limits.unheardMs, LONGEST_TIMER), () =>
          this.#step({ type: "unheard" }),
        );
        return;
      case "heard":
        this.#stopCountDown?.();
        return;
      case "unheard":
        this.#error = this.#host.failure(this.#spec.functionPath, unheard(this.#spec.limits));
        return;
      case "stop":
        this.#stop();
        return;
      case "end":
        this.#end();
        return;
    }
  }

  async #pull(): Promise<void> {
    const iterator = this.#iterator as AsyncIterator<unknown>;
    try {
      const { done, value } = await iterator.next();
      if (done === true) this.#step({ type: "finished" });
      else this.#take(value);
    } catch (error) {
      if (this.isRunning) this.#error = this.#host.failure(this.#spec.functionPath, error);
      this.#step({ type: "threw" });
      this.#stop();
    }
  }

  /** Throws what keeps the chunk from being sent. */
  #take(value: unknown): void {
    if (!this.isRunning) {
      this.#step({ type: "yielded", bytes: 0 });
      return;
    }
    const encoded = encodeValue(value);
    const text = encoded === undefined ? null : JSON.stringify(encoded);
    if (text !== null && isLonger(text, FRAME_BYTES - FRAME_HEAD))
      throw new LunoraError("RESULT_TOO_LARGE", `a chunk has at most ${FRAME_BYTES - FRAME_HEAD} bytes`, {
        data: { limit: FRAME_BYTES - FRAME_HEAD },
      });
    this.#fresh.push(text);
    this.#step({ type: "yielded", bytes: bytesOf(text) });
  }

  /** Stores what is fresh, then sends it: in this order, and what is sent leaves when it is on disk. */
  #flush(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    const before = this.#stored;
    this.#fresh = [];
    if (this.generation !== undefined) {
      try {
        this.#transcripts.append(this.generation, before, fresh, this.#host.now());
      } catch (error) {
        this.#lose(error);
        return;
      }
    }
    this.#stored = before + fresh.length;
    for (const reader of this.#readers) {
      // Whoever is further behind gets its chunks from the storage, where there is one.
      if (this.#state.isDurable && (reader.position !== before || reader.isWaiting)) continue;
      fresh.forEach((text, index) =>
        reader.connection.sendText(chunkFrame(reader.id, text, before + index + 1, this.generation)),
      );
      reader.position = this.#stored;
    }
    this.#host.deliver();
    for (const reader of this.#readers) this.#watch(reader);
    this.#step({ type: "flushed" });
  }

  /** The storage takes nothing: what is not stored is not sent. */
  #lose(error: unknown): void {
    if (!this.isRunning && this.#hasEnded) return;
    this.#error = this.#host.failure(this.#spec.functionPath, asLostGroup(error));
    if (this.isRunning) this.#step({ type: "threw" });
    this.#stop();
  }

  #end(): void {
    this.#flush();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // A timer would keep the object awake.
    this.#stopCountDown?.();
    this.#opened?.close();
    if (this.generation !== undefined) {
      try {
        this.#transcripts.end(this.generation, this.#error, this.#host.now());
        const expiry = this.#transcripts.nextExpiry();
        if (expiry !== null) this.#host.wakeAt(expiry);
      } catch (error) {
        this.#error = this.#host.failure(this.#spec.functionPath, asLostGroup(error));
      }
    }
    for (const reader of this.#readers) this.#send(reader);
    this.#settle();
  }

  /** Tells the generator, which may take its time; nobody waits for it. */
  #stop(): void {
    this.#abort.abort();
    this.#opened?.close();
    Promise.resolve(this.#iterator?.return?.()).catch(() => {
      // The run has been told its end already.
    });
    this.#settle();
  }

  /** Sends what the reader does not have, as fast as it takes it. */
  #send(reader: StreamReader): void {
    if (reader.isWaiting || !this.#readers.has(reader)) return;
    let sent = 0;
    while (reader.position < this.#stored) {
      const { generation } = this;
      // Of what is not kept everything has been sent already.
      if (generation === undefined) break;
      const texts = this.#transcripts.read(generation, reader.position, READ_CHUNKS);
      if (texts.length === 0) {
        // Swept while it was read.
        this.#tell(reader, this.#host.failure(this.#spec.functionPath, interrupted()));
        return;
      }
      for (const text of texts) {
        reader.connection.sendText(chunkFrame(reader.id, text, (reader.position += 1), generation));
        sent += text?.length ?? 0;
      }
      this.#host.deliver();
      if (this.#watch(reader)) return;
      if (sent > TURN_LENGTH) {
        // Others have their turns.
        reader.isWaiting = true;
        this.#lookAgain(reader, 0);
        return;
      }
    }
    if (this.#hasEnded) this.#tell(reader, this.#error);
  }

  /** Whether the reader has to take what it was sent before it gets more; then it is looked at again. */
  #watch(reader: StreamReader): boolean {
    if (reader.isWaiting) return true;
    if (reader.connection.isClosed || reader.connection.socket.bufferedAmount <= CLOGGED_BYTES) return false;
    reader.isWaiting = true;
    if (!this.#state.isDurable) this.#step({ type: "clogged" });
    this.#lookAgain(reader, CLOGGED_PAUSE);
    return true;
  }

  #lookAgain(reader: StreamReader, pause: number): void {
    this.#host.later(pause, () => {
      if (!this.#readers.has(reader)) return;
      if (reader.connection.socket.bufferedAmount > CLOGGED_BYTES / 2) {
        this.#lookAgain(reader, CLOGGED_PAUSE);
        return;
      }
      reader.isWaiting = false;
      if (!this.#state.isDurable) this.#step({ type: "drained" });
      this.#send(reader);
    });
  }

  #tell(reader: StreamReader, error: ErrorBody | undefined): void {
    this.#readers.delete(reader);
    sendEnd(reader, error);
    this.#onTold(reader);
    this.#host.deliver();
    this.#settle();
  }

  #settle(): void {
    if (!this.isRunning && this.#readers.size === 0) this.#over.resolve();
  }
}

/** The run that a subscriber had chunks of ended before its generator did, or is gone. */
export function interrupted(): LunoraError {
  return new LunoraError("STREAM_INTERRUPTED", "the run of this stream ended before its function did, or is not kept");
}

function tooLong({ chunks, bytes }: StreamLimits): LunoraError {
  return new LunoraError(
    "STREAM_TOO_LONG",
    `a durable stream has at most ${chunks} chunks, with at most ${bytes} bytes`,
    {
      data: { chunks, bytes },
    },
  );
}

function unheard({ unheardMs }: StreamLimits): LunoraError {
  return new LunoraError(
    "STREAM_INTERRUPTED",
    `nobody heard this stream for ${unheardMs} ms, after which it was ended`,
    {
      data: { unheardMs },
    },
  );
}
