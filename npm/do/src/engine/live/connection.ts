import type { Capability, ServerFrame } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { SharedFrames } from "../sockets/shared-frames.ts";

/** One socket, as the engine sees it. The host makes it and keeps it over hibernation. */
export interface Connection {
  /** Unique among the sockets of the shard. */
  readonly id: string;
  readonly identity: Identity | null;
  /** Set by `connect`. */
  readonly clientId: string | undefined;
  readonly capabilities: ReadonlySet<Capability>;
  /**
   * Queues a frame. Queued frames leave when the event or flush that is being handled ends, as one
   * `batch` where the client understands it, cut so that no frame is longer than the limit.
   */
  send(frame: ServerFrame): void;
  /**
   * The same for a frame that is JSON text already, because many connections get it; no longer than
   * `FRAME_BYTES`, except where it is one row that is longer. `lastMutationId` is the one that the
   * text carries.
   */
  sendText(text: string, lastMutationId?: number): void;
  /** The same for frames that other connections get as well. */
  sendShared(frames: SharedFrames): void;
}

/** A subscription as it is kept while the object sleeps. */
export interface SavedSubscription {
  readonly id: string;
  /** `q` query, `s` shape, `t` stream, `w` whisper topic. */
  readonly kind: "q" | "s" | "t" | "w";
  /** Function path, name of the shape, or topic; of a stream its id. */
  readonly name: string;
  /** Wire-encoded. */
  readonly args?: unknown;
  /**
   * Names of the tables that the query read last; absent when that is not known. Of a shape none, and there only while it
   * waits for its rows: its view is to be filled anew.
   */
  readonly tables?: readonly string[];
}
