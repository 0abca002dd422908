import { LunoraError } from "@lunora/errors";

import { spend } from "../allowance.ts";
import type { Allowance } from "../allowance.ts";
import type { SocketConnection } from "./socket-connection.ts";
import { isLonger } from "./pack-frames.ts";

/** Longest whisper, bytes of JSON. */
const WHISPER_BYTES = 16_384;

/** Whispers that a socket may send at once, and how many it earns each second. */
const BURST = 100;
const PER_SECOND = 50;

/** Words between those who are connected: kept nowhere, part of no transaction. */
export class Whispers {
  readonly #topics = new Map<string, Set<SocketConnection>>();
  readonly #allowances = new Map<SocketConnection, Allowance>();

  /** Nothing happens for a socket that is gone. */
  join(connection: SocketConnection, topic: string): void {
    if (connection.isClosed) return;
    connection.topics.add(topic);
    const members = this.#topics.get(topic);
    if (members === undefined) this.#topics.set(topic, new Set([connection]));
    else members.add(connection);
  }

  leave(connection: SocketConnection, topic: string): void {
    connection.topics.delete(topic);
    const members = this.#topics.get(topic);
    if (members?.delete(connection) === true && members.size === 0) this.#topics.delete(topic);
  }

  close(connection: SocketConnection): void {
    for (const topic of connection.topics) this.leave(connection, topic);
    this.#allowances.delete(connection);
  }

  /** Takes one from what the socket may whisper. Throws `RATE_LIMITED`. */
  spend(from: SocketConnection, now: number): void {
    const allowance = spend(this.#allowances.get(from), now, BURST, PER_SECOND);
    if (allowance === undefined)
      throw new LunoraError("RATE_LIMITED", `a socket may whisper ${PER_SECOND} times a second`, {
        data: { perSecond: PER_SECOND },
      });
    this.#allowances.set(from, allowance);
  }

  /** Throws `PAYLOAD_TOO_LARGE`. */
  send(from: SocketConnection, topic: string, data: unknown): void {
    const members = this.#topics.get(topic);
    if (members === undefined || from.isClosed) return;
    const text = JSON.stringify({
      type: "whisper",
      topic,
      ...(data === undefined ? {} : { data }),
      from: from.identity?.userId ?? from.id,
    });
    if (isLonger(text, WHISPER_BYTES))
      throw new LunoraError("PAYLOAD_TOO_LARGE", `a whisper has at most ${WHISPER_BYTES} bytes`, {
        data: { limit: WHISPER_BYTES },
      });
    for (const member of members) if (member !== from) member.sendText(text);
  }
}
