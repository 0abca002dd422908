import type { LunoraError } from "@lunora/errors";
import type { ClientFrame, FunctionReference, ServerFrame } from "@lunora/protocol";

import type { ClientEnvironment } from "./environment.ts";
import type { Http } from "./http.ts";
import type { Session } from "./session.ts";

/** What happens to a channel. */
export type ChannelEvent =
  /**
   * A frame with its id, or topic, or shape id; or one without any, which is for everything on the
   * socket. `lastMutationId` is where the connection stands in the client's sequence.
   */
  | { readonly type: "frame"; readonly frame: ServerFrame; readonly lastMutationId: number }
  /** The server refused it or ended it; or it refuses this client altogether. */
  | { readonly type: "failed"; readonly error: LunoraError }
  /** The connection is lost. It is made again, and `openFrame` sent again, while the channel is open. */
  | { readonly type: "down" }
  /** Connected, to this timeline. */
  | { readonly type: "greeted"; readonly epoch: string | undefined }
  /** Another identity: nothing that was known holds. It is opened again as that one. */
  | { readonly type: "forget" };

/**
 * `restart`: subscribe anew under another id, from the beginning. `keep`: worth storing. Both are
 * for views alone.
 */
export type ChannelEffect = "restart" | "keep";

/** Something that the socket of one shard carries under an id: a query, a shape, a stream, a topic. */
export interface Channel {
  /** The name of the object. */
  readonly shard: string | undefined;
  /** What its frames carry. Given when it is opened, unless it has one by then; empty while it is closed. */
  id: string;
  /** Sent when it is opened, and first thing on every later connection. */
  openFrame(): ClientFrame;
  /** Sent when it is closed; `undefined` when there is nothing to say. */
  closeFrame(): ClientFrame | undefined;
  /** Takes what happened, within a turn; `undefined` when there is nothing new to be seen. */
  step(event: ChannelEvent): readonly ChannelEffect[] | undefined;
}

/** What a client offers to parts that are not in its core: see {@link Extension}. */
export interface ExtensionHost {
  readonly environment: ClientEnvironment;
  /** Origin of the Worker, without a slash at its end. */
  readonly url: string;
  /** Who is signed in, for sockets of one's own. */
  readonly session: Session;
  /** Told when another identity signs in, and (`isClosed`) when the client is closed for good. */
  readonly departures: Set<(isClosed: boolean) => void>;
  /** Calls over HTTP. */
  readonly http: Http;
  /** Without sockets nothing can be opened. */
  readonly hasSockets: boolean;
  /**
   * Wraps everything that comes from outside (calls of the app, timers): what happens within is seen
   * at once at its end.
   */
  readonly transact: (work: () => void) => void;
  /** The name of the one object that a call goes to; `undefined` when it goes to none or to many. */
  shardOf(reference: Pick<FunctionReference, "address">, args: unknown, shardKey?: string): string | undefined;
  /** Puts a channel on its shard's socket, which is kept for as long as the channel is open. */
  open(channel: Channel & { readonly shard: string }): void;
  close(channel: Channel): void;
  /** Sends now; false when there is no connection, and then nothing is sent later either. */
  send(shard: string, frame: ClientFrame): boolean;
}

/**
 * A part of a client that is loaded by those alone who use it. A module has one such function, and
 * gets what it makes with `client.extension(extension)`: one for each client, made when it is first
 * asked for.
 */
export type Extension<Part> = (host: ExtensionHost) => Part;
