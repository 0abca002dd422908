import type { LunoraError } from "@lunora/errors";
import { CLOSED_FORBIDDEN, SOCKET_PATH } from "@lunora/protocol";
import type { AckFrame, BatchFrame, Capability, ClientFrame, ErrorFrame, ServerFrame } from "@lunora/protocol";

import type { Channel, ChannelEvent } from "./extension.ts";
import { createSocket } from "./server-socket.ts";
import type { ServerSocket, SocketHost } from "./server-socket.ts";
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
export interface Link extends ServerSocket<ClientFrame> {
  readonly shard: string;
  /** By their ids. */
  readonly channels: Map<string, Channel>;
  /** Who waits for the answer to a frame, by the frame's id. */
  readonly answers: Map<string, (frame: AckFrame | ErrorFrame) => void>;
  /** Where the server stands in the client's sequence. */
  lastMutationId: number;
  willFlush: boolean;
}

export function createLink(shard: string, host: LinkHost): Link {
  const channels: Link["channels"] = new Map();
  const answers: Link["answers"] = new Map();

  /** Tells the channel with the id, or every channel. */
  const tell = (event: ChannelEvent, id?: string): void => {
    const addressed = id ? [channels.get(id)] : Array.from(channels.values());
    for (const channel of addressed) if (channel) host.step(channel, event);
  };

  const take = (frame: ServerFrame): void => {
    // What names nobody is for all.
    const { id = "", shapeId = id, topic = shapeId, lastMutationId } = frame as Partial<Addressed>;
    if (frame.type === "ack" && id === "connect") {
      link.dispatch({ type: "greeted" });
      link.lastMutationId = lastMutationId ?? 0;
      tell({ type: "greeted", epoch: frame.epoch });
      host.mutations.up(shard);
    } else if (frame.type === "error" && id === "") {
      link.reason = errorOf(frame.error);
    } else if (frame.type === "error" || frame.type === "ack") {
      if (frame.type === "error") tell({ type: "failed", error: errorOf(frame.error) }, id);
      const answer = answers.get(id);
      answers.delete(id);
      answer?.(frame);
    } else {
      // What a part of a poke says holds at the poke's end.
      if (frame.type !== "pokePart") link.lastMutationId = lastMutationId ?? link.lastMutationId;
      tell({ type: "frame", frame, lastMutationId: link.lastMutationId }, topic);
    }
  };

  const socket = createSocket<ClientFrame>(host, {
    forbidden: "FORBIDDEN_SHARD",
    address: () => [SOCKET_PATH, { shard }],
    opened() {
      const caps: Capability[] = host.pageDeltas ? ["batch", "pageDelta"] : ["batch"];
      link.send({ type: "connect", id: "connect", clientId: host.clientId, caps });
      for (const channel of channels.values()) link.send(channel.openFrame());
    },
    take(message: ServerFrame | BatchFrame) {
      for (const frame of message.type === "batch" ? message.frames : [message]) take(frame);
    },
    lost(code) {
      const { refusal } = link;
      if (!code || !refusal) {
        answers.clear();
        tell({ type: "down" });
        return host.mutations.down(shard);
      }
      tell({ type: "failed", error: refusal });
      // Who is not known may be known later, and then the writes go on. Who is known and may not never will.
      if (code === CLOSED_FORBIDDEN) host.mutations.refuse(shard, refusal);
    },
  });
  const link: Link = Object.assign(socket, { shard, channels, answers, lastMutationId: 0, willFlush: false });
  return link;
}
