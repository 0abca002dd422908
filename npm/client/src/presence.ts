import type { LunoraError } from "@lunora/errors";
import { canonicalJson, decodeValue, encodeValue } from "@lunora/protocol";
import type { PresenceMember, PresenceReference, PresenceServerFrame } from "@lunora/protocol";

import type { LunoraClient } from "./client.ts";
import { statusOfConnection } from "./connection.ts";
import type { Extension, ExtensionHost } from "./extension.ts";
import { LateStore } from "./late-store.ts";
import { createRoomSocket } from "./room-socket.ts";
import type { RoomSocket } from "./room-socket.ts";
import { errorOf } from "./transport.ts";
import type { Store } from "./types.ts";

/** What pages say of themselves in a kind of room. */
export type PresenceInput<Reference extends PresenceReference> = NonNullable<Reference["~presence"]>["input"];

/** What they see of each other. */
export type PresenceData<Reference extends PresenceReference> = NonNullable<Reference["~presence"]>["data"];

/** Somebody in a room: a page, not a user, who may have several. */
export interface Member<Data = unknown> extends Omit<PresenceMember, "data"> {
  readonly data: Data;
}

/** Who is in a room. */
export interface PresenceSnapshot<Data = unknown> {
  /** `offline`: the connection was lost and is being made again; members are those of before. `error`: refused. */
  readonly status: "connecting" | "connected" | "offline" | "error";
  /** In the order in which they came, this page among them. Members that did not change are the same objects. */
  readonly members: readonly Member<Data>[];
  /** This page, once it is in. */
  readonly me?: Member<Data>;
  /** Why `status` is `error`, or what was last refused of what this page said. */
  readonly error?: LunoraError;
}

/** A room of this page: in it while somebody listens. */
export interface PresenceRoom<Data = unknown, Input = Data> extends Store<PresenceSnapshot<Data>> {
  /** Says something else of oneself. Of many in a short time the last one is said. */
  update(data: Input): void;
}

/** Updates are said this often at most, milliseconds: half as often as the server takes them. */
const UPDATE_PAUSE = 100;

class Room extends LateStore<PresenceSnapshot> implements PresenceRoom {
  readonly #host: ExtensionHost;
  readonly #socket: RoomSocket;
  readonly #members = new Map<string, Member>();
  #data: unknown;
  /** Who this page is, and the proof of it. */
  #me: { readonly memberId: string; readonly key: string } | undefined;
  #error: LunoraError | undefined;
  #hasNews = false;
  #pause: (() => void) | undefined;
  #updates = 0;

  constructor(host: ExtensionHost, path: string, room: string, data: unknown) {
    super(host.environment);
    this.#host = host;
    this.#data = encodeValue(data);
    this.#socket = createRoomSocket(host, {
      path,
      room,
      onOpen: () => this.#join(),
      onFrame: (frame) => this.#take(frame),
      onChange: () => this.changed(),
    });
    host.departures.add((isClosed) => {
      this.#me = undefined;
      this.#members.clear();
      this.changed();
      if (isClosed) this.#socket.use(false);
      else this.#socket.reset();
    });
  }

  protected make(): PresenceSnapshot {
    const { refusal } = this.#socket;
    const phase = statusOfConnection(this.#socket.state);
    const isIn = this.#me !== undefined && phase === "connected";
    const error = refusal ?? this.#error;
    const me = this.#me === undefined ? undefined : this.#members.get(this.#me.memberId);
    return {
      status: refusal !== undefined ? "error" : isIn ? "connected" : phase === "offline" ? "offline" : "connecting",
      members: [...this.#members.values()].toSorted(
        (one, other) => one.joinedAt - other.joinedAt || (one.memberId < other.memberId ? -1 : 1),
      ),
      ...(me !== undefined && { me }),
      ...(error !== undefined && { error }),
    };
  }

  protected onUse(isUsed: boolean): void {
    if (!isUsed) {
      this.#socket.send({ type: "leave" });
      this.#me = undefined;
      this.#members.clear();
      this.#pause?.();
      this.#pause = undefined;
      this.changed();
    }
    this.#socket.use(isUsed && this.#host.hasSockets);
  }

  #join(): void {
    this.#hasNews = false;
    this.#socket.send({ type: "join", id: "join", data: this.#data, ...(this.#me && { resume: this.#me }) });
  }

  update(data: unknown): void {
    const encoded = encodeValue(data);
    if (canonicalJson(encoded ?? null) === canonicalJson(this.#data ?? null)) return;
    this.#data = encoded;
    this.#hasNews = true;
    if (this.#pause === undefined) this.#say();
  }

  #say(): void {
    this.#pause = undefined;
    // Whoever is not in says it when it joins.
    if (!this.#hasNews || this.#me === undefined || this.#socket.state.phase !== "connected") return;
    this.#hasNews = false;
    this.#socket.send({ type: "update", id: `u${++this.#updates}`, data: this.#data });
    this.#pause = this.environment.setTimer(UPDATE_PAUSE, () => this.#say());
  }

  #take(frame: PresenceServerFrame): void {
    if (frame.type === "error") {
      this.#error = errorOf(frame.error);
      // Said too often, by somebody who sets the clock: again, later.
      if (this.#error.code === "RATE_LIMITED" && frame.id !== "join") {
        this.#hasNews = true;
        this.#pause ??= this.environment.setTimer(UPDATE_PAUSE * 10, () => this.#say());
      }
    } else if (frame.type === "joined") {
      const { memberId, key } = frame;
      this.#me = { memberId, key };
      this.#error = undefined;
      this.#socket.dispatch({ type: "greeted" });
      const before = new Map(this.#members);
      this.#members.clear();
      for (const member of frame.members) this.#set(member, before.get(member.memberId));
      this.#say();
    } else {
      for (const member of frame.joined ?? []) this.#set(member, this.#members.get(member.memberId));
      for (const { memberId, data } of frame.updated ?? []) {
        const member = this.#members.get(memberId);
        if (member !== undefined) this.#members.set(memberId, { ...member, data: decodeValue(data) });
      }
      for (const memberId of frame.left ?? []) this.#members.delete(memberId);
    }
    this.changed();
  }

  /** Keeps the object of a member that is as it was. */
  #set(member: PresenceMember, before: Member | undefined): void {
    const isSame = before !== undefined && canonicalJson(encodeValue(before.data)) === canonicalJson(member.data);
    this.#members.set(member.memberId, isSame ? before : { ...member, data: decodeValue(member.data) });
  }
}

/** The rooms of one client: a page is in each once, however many look. */
const rooms: Extension<(path: string, room: string, data: unknown) => Room> = (host) => {
  const known = new Map<string, Room>();
  return (path, name, data) => {
    const key = `${path}\n${name}`;
    let room = known.get(key);
    if (room === undefined) known.set(key, (room = new Room(host, path, name, data)));
    return room;
  };
};

/**
 * The room of this page, one for equal kind and name. `data` is what the page says of itself when it
 * comes in for the first time; what it says later goes through `update`.
 */
export function presence<Reference extends PresenceReference>(
  client: LunoraClient,
  reference: Reference,
  room: string,
  data: PresenceInput<Reference>,
): PresenceRoom<PresenceData<Reference>, PresenceInput<Reference>> {
  return client.extension(rooms)(reference.path, room, data) as unknown as PresenceRoom<
    PresenceData<Reference>,
    PresenceInput<Reference>
  >;
}
