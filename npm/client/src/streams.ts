import { CodedError } from "@lunora/errors";
import type { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
import type { CallArguments, ClientFrame, ResultOf, StreamFrame } from "@lunora/protocol";

import type { LunoraClient } from "./client.ts";
import type { Channel, ChannelEvent, Extension, ExtensionHost } from "./extension.ts";
import { LateStore } from "./late-store.ts";
import type { PublicReference, Store } from "./types.ts";

/** What a stream has brought so far. */
export interface StreamSnapshot<Chunk = unknown> {
  /** `connecting`: not a chunk yet. */
  readonly status: "connecting" | "streaming" | "complete" | "error";
  readonly chunks: readonly Chunk[];
  /** Why `status` is `error`. What had arrived before is still right. */
  readonly error?: LunoraError;
}

/**
 * A stream's chunks as they arrive. It begins with its first listener and is given up after the last.
 * A durable one goes on where it was when a connection was lost, or a listener comes back; another
 * ends with `STREAM_INTERRUPTED`.
 */
export interface LiveStream<Chunk = unknown> extends Store<StreamSnapshot<Chunk>> {
  /** Runs it again when it has ended, and forgets its chunks. Of a durable stream the run is replaced for everybody who shares it. */
  restart(): void;
  /** The chunks one by one; throws the stream's error at its end. */
  [Symbol.asyncIterator](): AsyncIterator<Chunk, void>;
}

class StreamChannel extends LateStore<StreamSnapshot> implements Channel, LiveStream {
  readonly shard: string;
  id = "";
  readonly #host: ExtensionHost;
  readonly #query: StreamFrame["query"];
  #chunks: unknown[] = [];
  #end: { readonly error?: LunoraError } | undefined;
  #isUsed = false;
  /** Of a durable stream: the run, and its last chunk that arrived. */
  #generation: string | undefined;
  #seq = 0;
  /** The run that is not wanted any more. */
  #replaces: string | undefined;

  constructor(host: ExtensionHost, shard: string, query: StreamFrame["query"]) {
    super(host.environment);
    this.#host = host;
    this.shard = shard;
    this.#query = query;
  }

  protected make(): StreamSnapshot {
    const { error } = this.#end ?? {};
    const chunks = this.#chunks.slice();
    if (error !== undefined) return { status: "error", chunks, error };
    if (this.#end !== undefined) return { status: "complete", chunks };
    return { status: chunks.length === 0 ? "connecting" : "streaming", chunks };
  }

  protected onUse(isUsed: boolean): void {
    this.#isUsed = isUsed;
    if (!isUsed) {
      if (this.id !== "") this.#host.transact(() => this.#host.close(this));
      return;
    }
    if (this.#end !== undefined) return;
    // What was heard of a run that was given up is not the beginning of the next.
    if (this.#generation === undefined) this.#forget();
    this.#open();
  }

  #open(): void {
    if (!this.#host.hasSockets) {
      this.#finish(new CodedError("NOT_IMPLEMENTED", 501, "streams need sockets, and this client has none"));
      return;
    }
    this.#host.transact(() => this.#host.open(this));
  }

  #forget(): void {
    this.#chunks = [];
    this.#generation = undefined;
    this.#seq = 0;
    this.#end = undefined;
    this.changed();
  }

  restart(): void {
    if (this.#end === undefined) return;
    const replaces = this.#generation;
    this.#forget();
    this.#replaces = replaces;
    if (this.#isUsed) this.#open();
  }

  openFrame(): ClientFrame {
    return {
      type: "stream",
      id: this.id,
      query: this.#query,
      ...(this.#generation !== undefined && { sinceChunk: this.#seq, generation: this.#generation }),
      ...(this.#generation === undefined && this.#replaces !== undefined && { replaces: this.#replaces }),
    };
  }

  closeFrame(): ClientFrame | undefined {
    return this.#end === undefined ? { type: "unsubscribe", id: this.id } : undefined;
  }

  step(event: ChannelEvent): undefined {
    switch (event.type) {
      case "frame": {
        const { frame } = event;
        if (frame.type === "complete") this.#finish();
        if (frame.type !== "chunk") return;
        const { generation, seq } = frame;
        if (seq !== undefined) {
          if (seq <= this.#seq) return;
          this.#seq = seq;
          this.#generation = generation;
        }
        this.#chunks.push(decodeValue(frame.data));
        this.changed();
        return;
      }
      case "failed":
        this.#finish(event.error);
        return;
      case "down":
        // Without a chunk nothing is lost: it is asked for anew.
        if (this.#generation === undefined && this.#chunks.length > 0)
          this.#finish(
            new CodedError("STREAM_INTERRUPTED", 409, "the connection was lost, and the stream's chunks are not kept"),
          );
        return;
      case "forget":
        this.#replaces = undefined;
        this.#forget();
    }
  }

  #finish(error?: LunoraError): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    this.#replaces = undefined;
    this.#host.close(this);
    this.changed();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void> {
    let wake: (() => void) | undefined;
    const end = this.subscribe(() => wake?.());
    try {
      for (let index = 0; ;) {
        const chunks = this.#chunks;
        if (index < chunks.length) {
          yield chunks[index];
          index += 1;
        } else if (this.#end === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
          // Begun anew meanwhile.
          if (this.#chunks !== chunks) index = 0;
        } else {
          if (this.#end.error !== undefined) throw this.#end.error;
          return;
        }
      }
    } finally {
      end();
    }
  }
}

const streams: Extension<(shard: string, query: StreamFrame["query"]) => StreamChannel> = (host) => (shard, query) =>
  new StreamChannel(host, shard, query);

const shards: Extension<ExtensionHost["shardOf"]> = (host) => (reference, args, shardKey) =>
  host.shardOf(reference, args, shardKey);

/** A stream of the function, which begins with its first listener. Each call is a stream of its own. */
export function stream<Reference extends PublicReference<"stream">>(
  client: LunoraClient,
  reference: Reference,
  ...[args]: CallArguments<Reference>
): LiveStream<ResultOf<Reference>> {
  const shard = client.extension(shards)(reference, args ?? {});
  if (shard === undefined) throw new CodedError("BAD_REQUEST", 400, `\`${reference.path}\` is in no single shard`);
  const query = { functionPath: reference.path, args: encodeValue(args ?? {}) };
  return client.extension(streams)(shard, query) as unknown as LiveStream<ResultOf<Reference>>;
}
