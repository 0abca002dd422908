import { LunoraError } from "@lunora/errors";
import { CLOSE_CODES, decodeValue, encodeValue, parsePresenceFrame, PRESENCE_BYTES } from "@lunora/protocol";
import type { PresenceClientFrame, PresenceServerFrame } from "@lunora/protocol";
import { nextAlarm } from "@lunora/runtime";
import type { RegisteredPresence } from "@lunora/server";

import { failureOf } from "../engine/function-runner.ts";
import type { HostSocket } from "../engine/sockets/host-socket.ts";
import { isLonger } from "../engine/sockets/pack-frames.ts";
import type { SqlStorage } from "../engine/sql.ts";
import { EmptySeats } from "./empty-seats.ts";
import { roomTexts } from "./room-frames.ts";
import { Room } from "./room.ts";
import type { Seat } from "./room.ts";

/** Longest message of a page, bytes. */
const MESSAGE_BYTES = 16_384;

/** Bytes that may wait for a reader before its socket is given up: four times what a full room says of itself. */
const BUFFERED_BYTES = 8_388_608;

/** Sockets that have not joined yet, besides the members' own. */
const WAITING_SOCKETS = 100;

/** What a page says when it is left: nobody waits for it to come back. */
const GOING_AWAY = 1001;

/** How long things may take in a room, milliseconds. */
export interface RoomTimes {
  /** A member whose connection broke is told to have left after that. */
  readonly graceMs: number;
  /** A socket that says nothing for so long, no ping either, is dead; also one that does not join. */
  readonly silenceMs: number;
  /** Changes in so short a time are told together. */
  readonly gatherMs: number;
}

export const ROOM_TIMES: RoomTimes = { graceMs: 5_000, silenceMs: 45_000, gatherMs: 50 };

/** A socket of a room, as the platform gives it. */
export interface RoomSocket extends HostSocket {
  /** When the platform last answered a ping of it, epoch milliseconds; `null`: never. */
  readonly pingedAt: number | null;
}

/** What a room needs of the object it runs in. */
export interface RoomHost {
  readonly sql: SqlStorage;
  /** Epoch milliseconds. */
  now(): number;
  /** A name that cannot be guessed. */
  newName(): string;
  later(milliseconds: number, run: () => void): void;
  /** `null`: there is nothing to wake for. */
  setAlarm(time: number | null): void;
}

/** Who opened a socket, as the Worker has established it. */
export interface RoomCaller {
  readonly userId: string | null;
  readonly expiresAt?: number;
}

/** What is kept with each socket while the object sleeps. */
interface SocketState {
  readonly caller: RoomCaller;
  /** Epoch milliseconds: what it said last, pings aside. */
  readonly heardAt: number;
  readonly seat?: Seat;
}

/** One room: what its sockets say, what they are told. */
export class RoomEngine {
  readonly #kind: RegisteredPresence;
  readonly #host: RoomHost;
  readonly #times: RoomTimes;
  readonly #room: Room<RoomSocket>;
  readonly #empty: EmptySeats;
  readonly #sockets = new Map<RoomSocket, SocketState>();
  #isGathering = false;
  /** Nothing is armed for earlier: see {@link nextAlarm}. */
  #notBefore = 0;

  /** `sockets`: those that outlived sleep. */
  constructor(kind: RegisteredPresence, host: RoomHost, times: RoomTimes, sockets: Iterable<RoomSocket>) {
    this.#kind = kind;
    this.#host = host;
    this.#times = times;
    this.#room = new Room(times.graceMs, () => host.newName());
    this.#empty = new EmptySeats(host.sql);
    const seated: [RoomSocket, Seat][] = [];
    for (const socket of sockets) {
      const text = socket.kept();
      if (text === undefined) {
        socket.close(CLOSE_CODES.reload, "the connection's state is lost: connect again");
        continue;
      }
      const state = JSON.parse(text) as SocketState;
      this.#sockets.set(socket, state);
      if (state.seat !== undefined) seated.push([socket, state.seat]);
    }
    this.#room.restore(seated, this.#empty.all());
  }

  /** Whether another socket may be opened. */
  assertRoom(): void {
    if (this.#sockets.size >= this.#room.size + WAITING_SOCKETS)
      throw new LunoraError("RATE_LIMITED", "too many sockets of this room have not joined it");
  }

  /** A socket that was just accepted. */
  open(socket: RoomSocket, caller: RoomCaller): void {
    this.#keep(socket, { caller, heardAt: this.#host.now() });
    this.#arm();
  }

  #keep(socket: RoomSocket, state: SocketState): void {
    socket.keep(JSON.stringify(state));
    this.#sockets.set(socket, state);
  }

  receive(socket: RoomSocket, data: string | ArrayBuffer): void {
    const state = this.#sockets.get(socket);
    if (state === undefined || this.#expire(socket, state)) return;
    let frame: PresenceClientFrame;
    try {
      frame = readFrame(data);
      if (frame.type === "leave") return this.#leave(socket);
    } catch (error) {
      return this.#refuseProtocol(socket, error);
    }
    try {
      if (frame.type === "join") this.#join(socket, state, frame);
      else this.#update(socket, state, frame.data);
    } catch (error) {
      const { error: body } = failureOf("a room", error);
      if (body.code === "FRAME_OUT_OF_STATE") return this.#refuseProtocol(socket, error);
      this.#send(socket, { type: "error", id: frame.id, error: body });
      if (body.code === "ROOM_FULL") this.#drop(socket, CLOSE_CODES.slowReader, body.code);
    }
  }

  #refuseProtocol(socket: RoomSocket, error: unknown): void {
    const { error: body } = failureOf("a frame", error);
    this.#send(socket, { type: "error", error: body });
    const isLong = body.code === "FRAME_TOO_LARGE";
    this.#drop(socket, isLong ? CLOSE_CODES.tooLarge : CLOSE_CODES.protocolError, body.code);
  }

  /** Validated, wire-encoded. Throws `VALIDATION_ERROR` and `PAYLOAD_TOO_LARGE`. */
  #checked(data: unknown): unknown {
    const checked = encodeValue(this.#kind.data.parse(decodeValue(data)));
    if (isLonger(JSON.stringify(checked ?? null), PRESENCE_BYTES))
      throw new LunoraError("PAYLOAD_TOO_LARGE", `what a member says of itself has at most ${PRESENCE_BYTES} bytes`, {
        data: { limit: PRESENCE_BYTES },
      });
    return checked;
  }

  #join(socket: RoomSocket, state: SocketState, frame: Extract<PresenceClientFrame, { type: "join" }>): void {
    const now = this.#host.now();
    this.#expireSeats(now);
    const data = this.#checked(frame.data);
    const entrant = { userId: state.caller.userId, data, resume: frame.resume };
    const { seat, replaced } = this.#room.join(socket, entrant, now);
    const { memberId, key } = seat;
    this.#empty.remove(memberId);
    this.#keep(socket, { ...state, heardAt: now, seat });
    for (const other of replaced) this.#close(other, 1000, "the member has another connection");
    this.#send(socket, { type: "joined", id: frame.id, memberId, key, members: this.#room.members });
    this.#gather();
    this.#arm();
  }

  #update(socket: RoomSocket, state: SocketState, data: unknown): void {
    const now = this.#host.now();
    this.#room.spend(socket, now);
    const seat = this.#room.update(socket, this.#checked(data));
    this.#keep(socket, { ...state, heardAt: now, seat });
    this.#gather();
  }

  #leave(socket: RoomSocket): void {
    this.#room.leave(socket);
    this.#close(socket, 1000, "");
    this.#gather();
    this.#arm();
  }

  /** The socket was closed, by whomever. */
  closed(socket: RoomSocket, code: number): void {
    if (!this.#sockets.delete(socket)) return;
    if (code === GOING_AWAY) this.#room.leave(socket);
    else this.#lose(socket);
    this.#gather();
    this.#arm();
  }

  #lose(socket: RoomSocket): void {
    const seat = this.#room.lose(socket, this.#host.now());
    if (seat !== undefined) this.#empty.keep(seat);
  }

  #close(socket: RoomSocket, code: number, reason: string): void {
    this.#sockets.delete(socket);
    socket.close(code, reason);
  }

  /** Closes from our side; the member may come back in its time of grace. */
  #drop(socket: RoomSocket, code: number, reason: string): void {
    this.#lose(socket);
    this.#close(socket, code, reason);
    this.#arm();
  }

  #expire(socket: RoomSocket, { caller }: SocketState): boolean {
    if (caller.expiresAt === undefined || caller.expiresAt > this.#host.now()) return false;
    this.#drop(socket, CLOSE_CODES.tokenExpired, "the token has expired");
    return true;
  }

  #expireSeats(now: number): void {
    for (const memberId of this.#room.expire(now)) this.#empty.remove(memberId);
  }

  /** The alarm went off. */
  ring(): void {
    const now = this.#host.now();
    // The alarm may have been moved on while it rang: what it is armed for now says nothing of that.
    this.#notBefore = nextAlarm(null, now);
    for (const [socket, state] of this.#sockets) {
      if (this.#expire(socket, state) || this.#deadAt(socket, state) > now) continue;
      this.#drop(socket, CLOSE_CODES.slowReader, "nothing was heard for too long: connect again");
    }
    this.#expireSeats(now);
    this.#tell();
    this.#arm();
  }

  /** When the socket is dead unless it says something. One that has not joined lives no longer for its pings. */
  #deadAt(socket: RoomSocket, { heardAt, seat }: SocketState): number {
    return Math.max(heardAt, seat === undefined ? 0 : (socket.pingedAt ?? 0)) + this.#times.silenceMs;
  }

  #arm(): void {
    let next = this.#room.nextExpiry ?? Infinity;
    for (const [socket, state] of this.#sockets)
      next = Math.min(next, this.#deadAt(socket, state), state.caller.expiresAt ?? Infinity);
    this.#host.setAlarm(next === Infinity ? null : Math.max(next, this.#notBefore));
  }

  /** Everybody is told soon, once for what comes together. */
  #gather(): void {
    if (this.#isGathering || !this.#room.hasNews) return;
    this.#isGathering = true;
    this.#host.later(this.#times.gatherMs, () => {
      this.#isGathering = false;
      this.#tell();
    });
  }

  #tell(): void {
    if (!this.#room.hasNews) return;
    const texts = roomTexts(this.#room.takeNews());
    for (const socket of this.#room.sockets) {
      const state = this.#sockets.get(socket);
      if (state === undefined || this.#expire(socket, state)) continue;
      for (const text of texts) socket.send(text);
      this.#bound(socket);
    }
  }

  #send(socket: RoomSocket, frame: PresenceServerFrame): void {
    for (const text of roomTexts(frame)) socket.send(text);
    this.#bound(socket);
  }

  #bound(socket: RoomSocket): void {
    if (socket.bufferedAmount > BUFFERED_BYTES)
      this.#drop(socket, CLOSE_CODES.slowReader, "the reader does not keep up: connect again");
  }
}

/** Throws `FRAME_MALFORMED` and `FRAME_TOO_LARGE`. */
function readFrame(data: string | ArrayBuffer): PresenceClientFrame {
  if (typeof data !== "string") throw new LunoraError("FRAME_MALFORMED", "frames are text, not bytes");
  if (isLonger(data, MESSAGE_BYTES))
    throw new LunoraError("FRAME_TOO_LARGE", `a frame of a room has at most ${MESSAGE_BYTES} bytes`, {
      data: { limit: MESSAGE_BYTES },
    });
  return parsePresenceFrame(data);
}
