import type { LunoraError } from "@lunora/errors";
import { CLOSED_FORBIDDEN, SOCKET_PATH } from "@lunora/protocol";
import type { AckFrame, BatchFrame, Capability, ClientFrame, ErrorFrame, ServerFrame } from "@lunora/protocol";

import type { Channel, ChannelEvent } from "./extension.ts";
import { ServerSocket } from "./server-socket.ts";
import type { SocketHost } from "./server-socket.ts";
import { errorOf } from "./transport.ts";

/** What a link tells, and what it asks for. */
export interface LinkHost extends SocketHost {
  readonly clientId: string;
  /** Takes changes of lists and pages as such, where there is one. */
  readonly pageDeltas: unknown;
  /** Tells a channel what happened. */
  step(channel: Channel, event: ChannelEvent): void;
  /** What waits for the shard. */
  readonly mutations: {
    /** The server answered `connect`. */
    up(shard: string): void;
    down(shard: string): void;
    /** It will never take anything of this client. */
    refuse(shard: string, error: LunoraError): void;
  };
}

/** What frames say of whom they are for. */
type Addressed = Readonly<Record<"id" | "shapeId" | "topic", string>> & { readonly lastMutationId: number };

/** The socket of one shard, and what goes over it. */
export class Link extends ServerSocket<LinkHost, ClientFrame> {
  declare readonly shard: string;
  /** By their ids. */
  readonly channels: Map<string, Channel> = new Map();
  /** Who waits for the answer to a frame, by the frame's id. */
  readonly answers: Map<string, (frame: AckFrame | ErrorFrame) => void> = new Map();
  /** Where the server stands in the client's sequence. */
  lastMutationId = 0;
  willFlush = false;
  protected readonly forbidden = "FORBIDDEN_SHARD" as const;

  constructor(shard: string, host: LinkHost) {
    super(host);
    this.shard = shard;
  }

  protected address(): readonly [string, Readonly<Record<string, string>>] {
    return [SOCKET_PATH, { shard: this.shard }];
  }

  /** Tells the channel with the id, or every channel. */
  tell(event: ChannelEvent, id?: string): void {
    const addressed = id === undefined ? Array.from(this.channels.values()) : [this.channels.get(id)];
    for (const channel of addressed) if (channel) this.host.step(channel, event);
  }

  protected lost(code?: number): void {
    const { refusal, shard } = this;
    const { mutations } = this.host;
    if (code === undefined || !refusal) {
      this.answers.clear();
      this.tell({ type: "down" });
      mutations.down(shard);
      return;
    }
    this.tell({ type: "failed", error: refusal });
    // Who is not known may be known later, and then the writes go on. Who is known and may not never will.
    if (code === CLOSED_FORBIDDEN) mutations.refuse(shard, refusal);
  }

  protected opened(): void {
    const { clientId, pageDeltas } = this.host;
    const caps: Capability[] = pageDeltas ? ["batch", "pageDelta"] : ["batch"];
    this.send({ type: "connect", id: "connect", clientId, caps });
    for (const channel of this.channels.values()) this.send(channel.openFrame());
  }

  protected take(message: ServerFrame | BatchFrame): void {
    for (const frame of message.type === "batch" ? message.frames : [message]) this.#take(frame);
  }

  #take(frame: ServerFrame): void {
    const { id, shapeId = id, topic = shapeId, lastMutationId } = frame as Partial<Addressed>;
    if (frame.type === "ack" && id === "connect") {
      this.dispatch({ type: "greeted" });
      this.lastMutationId = lastMutationId ?? 0;
      this.tell({ type: "greeted", epoch: frame.epoch });
      this.host.mutations.up(this.shard);
    } else if (frame.type === "error" && id === undefined) {
      this.complaint = errorOf(frame.error);
    } else if (frame.type === "error" || frame.type === "ack") {
      if (frame.type === "error") this.tell({ type: "failed", error: errorOf(frame.error) }, id);
      const answer = this.answers.get(id ?? "");
      this.answers.delete(id ?? "");
      answer?.(frame);
    } else {
      // What a part of a poke says holds at the poke's end.
      if (frame.type !== "pokePart") this.lastMutationId = lastMutationId ?? this.lastMutationId;
      this.tell({ type: "frame", frame, lastMutationId: this.lastMutationId }, topic);
    }
  }
}
