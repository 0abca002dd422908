import type { SavedSubscription } from "../../live/connection.ts";
import type { ShapePart } from "../../live/live-host.ts";
import type { SocketConnection } from "../../sockets/socket-connection.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf } from "../arguments.ts";
import { wholeNumber } from "./questions.ts";

/** Most sockets, and most clients, of one answer. */
const PAGE = 500;

/** Subscriptions that are told of one socket. */
const SUBSCRIPTIONS = 200;

/** Characters of arguments that are told. */
const ARGUMENTS = 4_096;

const KINDS: Readonly<Record<SavedSubscription["kind"], string>> = { q: "query", s: "shape", t: "stream", w: "topic" };

/** What a socket is subscribed to. */
export interface ToldSubscription {
  readonly id: string;
  readonly kind: string;
  /** Function path, name of the shape or topic; of a stream its id. */
  readonly name: string;
  /** Wire-encoded; left out when it is long, and `isCut` says so. */
  readonly args?: unknown;
  readonly isCut?: true;
  /** Where the view of a shape was last moved to; not known after sleep. */
  readonly toSeq?: number;
}

/** A socket that is open. */
export interface ToldSocket {
  readonly socket: string;
  readonly userId: string | null;
  readonly clientId: string | null;
  readonly subscriptions: readonly ToldSubscription[];
  /** How many there are. */
  readonly subscriptionCount: number;
}

/** A client that pushed. */
export interface ToldClient {
  readonly userId: string | null;
  readonly clientId: string;
  readonly watermark: number;
  /** When it last pushed, epoch milliseconds. */
  readonly seenAt: number;
}

/** Who is connected, and who pushed. */
export interface ClientList {
  readonly sockets: readonly ToldSocket[];
  readonly hasMoreSockets: boolean;
  /** Those that pushed last come first. */
  readonly clients: readonly ToldClient[];
  readonly hasMoreClients: boolean;
}

type Checkpoints = ReadonlyMap<object, ReadonlyMap<string, number>>;

function checkpointsOf({ groups }: ShapePart): Checkpoints {
  const checkpoints = new Map<object, Map<string, number>>();
  for (const { subscriptions } of groups) {
    for (const { connection, id, checkpoint } of subscriptions) {
      if (checkpoint === undefined) continue;
      const own = checkpoints.get(connection);
      if (own === undefined) checkpoints.set(connection, new Map([[id, checkpoint]]));
      else own.set(id, checkpoint);
    }
  }
  return checkpoints;
}

function told({ id, kind, name, args }: SavedSubscription, toSeq: number | undefined): ToldSubscription {
  const isCut = args !== undefined && JSON.stringify(args).length > ARGUMENTS;
  return {
    id,
    kind: KINDS[kind],
    name,
    ...(args === undefined || isCut ? {} : { args }),
    ...(isCut ? { isCut } : {}),
    ...(kind !== "s" || toSeq === undefined ? {} : { toSeq }),
  };
}

/** Sockets and clients of one moment: `{limit?}`. */
export function clients({ engine }: ShardAdminHost, argument: unknown): ClientList {
  const limit = wholeNumber(fieldsOf(argument), "limit", PAGE, 1, PAGE);
  const { sockets: hub, shapes } = engine.insides;
  const checkpoints = checkpointsOf(shapes);
  const toldSocket = (connection: SocketConnection): ToldSocket => {
    const subscriptions = hub.subscriptionsOf(connection);
    return {
      socket: connection.id,
      userId: connection.identity?.userId ?? null,
      clientId: connection.clientId ?? null,
      subscriptions: subscriptions
        .slice(0, SUBSCRIPTIONS)
        .map((subscription) => told(subscription, checkpoints.get(connection)?.get(subscription.id))),
      subscriptionCount: subscriptions.length,
    };
  };
  const rows = engine.findHost.storage
    .exec(
      "SELECT identity, client_id, last_mutation_id, seen FROM __client_watermark ORDER BY seen DESC, identity, client_id LIMIT ?",
      limit + 1,
    )
    .toArray();
  return {
    sockets: [...hub.connections].slice(0, limit).map(toldSocket),
    hasMoreSockets: hub.size > limit,
    clients: rows.slice(0, limit).map((row) => {
      const identity = row["identity"] as string;
      return {
        userId: identity === "" ? null : identity.slice("user:".length),
        clientId: row["client_id"] as string,
        watermark: row["last_mutation_id"] as number,
        seenAt: row["seen"] as number,
      };
    }),
    hasMoreClients: rows.length > limit,
  };
}
