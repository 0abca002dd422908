import { decodeValue, encodeValue } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import { addColumn } from "../internal-table.ts";
import type { SavedSubscription } from "../live/connection.ts";
import { pieces } from "../pieces.ts";
import type { SqlStorage } from "../sql.ts";
import { ATTACHMENT_LENGTH } from "./host-socket.ts";
import type { HostSocket } from "./host-socket.ts";
import type { SocketFacts } from "./socket-connection.ts";

/** What has to outlive sleep. */
export interface SocketState {
  readonly facts: SocketFacts;
  readonly subscriptions: readonly SavedSubscription[];
}

/** In the socket's own attachment: all of it, or the id under which it is stored. */
type Attachment =
  | { readonly facts: unknown; readonly subscriptions: readonly SavedSubscription[] }
  | { readonly stored: string };

/** Claims may be values that JSON cannot hold. */
function encodeFacts(facts: SocketFacts): unknown {
  return { ...facts, identity: encodeValue(facts.identity) };
}

function decodeFacts(facts: unknown): SocketFacts {
  const { identity, ...rest } = facts as SocketFacts;
  return { ...rest, identity: decodeValue(identity) as Identity | null };
}

export function createSocketTables(storage: SqlStorage): void {
  storage.exec(`CREATE TABLE IF NOT EXISTS __socket(id TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __socket_subscription(socket TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, args TEXT,
      tables TEXT, PRIMARY KEY(socket, kind, id)) WITHOUT ROWID`);
  addColumn(storage, "__socket_subscription", "tables", "TEXT");
}

/** Keeps sockets' state: in their attachments while that is short, else in tables. */
export class SocketStore {
  readonly #storage: SqlStorage;
  readonly #stored = new Set<string>();

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  save(socket: HostSocket, state: SocketState): void {
    const { id } = state.facts;
    const facts = encodeFacts(state.facts);
    const text = JSON.stringify({ facts, subscriptions: state.subscriptions } satisfies Attachment);
    if (text.length <= ATTACHMENT_LENGTH) {
      socket.keep(text);
      this.remove(id);
      return;
    }
    // First: should the tables take nothing, a socket that wakes is told so, and not half awake.
    socket.keep(JSON.stringify({ stored: id } satisfies Attachment));
    if (this.#stored.has(id)) this.#delete(id);
    this.#storage.exec("INSERT INTO __socket(id, facts) VALUES(?, ?)", id, JSON.stringify(facts));
    const rows = state.subscriptions.map(
      ({ kind, id: subscription, name, args, tables }) =>
        [
          kind,
          subscription,
          name,
          args === undefined ? null : JSON.stringify(args),
          tables === undefined ? null : JSON.stringify(tables),
        ] as const,
    );
    for (const piece of pieces(rows)) {
      this.#storage.exec(
        "INSERT OR REPLACE INTO __socket_subscription(socket, kind, id, name, args, tables) SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?2)",
        id,
        JSON.stringify(piece),
      );
    }
    this.#stored.add(id);
  }

  load(socket: HostSocket): SocketState | undefined {
    const text = socket.kept();
    if (text === undefined) return undefined;
    const attachment = JSON.parse(text) as Attachment;
    if ("facts" in attachment) return { facts: decodeFacts(attachment.facts), subscriptions: attachment.subscriptions };
    const { stored: id } = attachment;
    const [row] = this.#storage.exec("SELECT facts FROM __socket WHERE id = ?", id).toArray();
    if (row === undefined) return undefined;
    this.#stored.add(id);
    const subscriptions = this.#storage
      .exec("SELECT kind, id, name, args, tables FROM __socket_subscription WHERE socket = ?", id)
      .toArray()
      .map((subscription): SavedSubscription => {
        const { kind, id: name, args, tables } = subscription;
        return {
          kind: kind as SavedSubscription["kind"],
          id: name as string,
          name: subscription["name"] as string,
          ...(args === null ? {} : { args: JSON.parse(args as string) as unknown }),
          ...(tables === null ? {} : { tables: JSON.parse(tables as string) as string[] }),
        };
      });
    return { facts: decodeFacts(JSON.parse(row["facts"] as string)), subscriptions };
  }

  /** The socket is gone, or fits its attachment again. */
  remove(id: string): void {
    if (this.#stored.delete(id)) this.#delete(id);
  }

  #delete(id: string): void {
    this.#storage.exec("DELETE FROM __socket WHERE id = ?", id);
    this.#storage.exec("DELETE FROM __socket_subscription WHERE socket = ?", id);
  }

  /** Forgets sockets that a crash took along. */
  keepOnly(ids: readonly string[]): void {
    const text = JSON.stringify(ids);
    this.#storage.exec("DELETE FROM __socket WHERE id NOT IN (SELECT value FROM json_each(?))", text);
    this.#storage.exec("DELETE FROM __socket_subscription WHERE socket NOT IN (SELECT value FROM json_each(?))", text);
  }
}
