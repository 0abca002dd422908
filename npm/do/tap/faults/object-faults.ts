import { CLOSE_CODES } from "@lunora/protocol";
import type { ObservedFault } from "@lunora/runtime";

import type { ShardFaults } from "../../src/engine/observing/shard-faults.ts";
import type { ShardEngine } from "../../src/engine/shard-engine.ts";
import type { SocketConnection } from "../../src/engine/sockets/socket-connection.ts";
import { Exchange } from "./exchange.ts";
import { causeIn, shardFaultIn } from "./fault.ts";
import type { Cause, Fields, ShardFault } from "./fault.ts";
import { apart, isNews } from "./frames.ts";
import { LateLine } from "./late-line.ts";
import { refusal } from "./refusal.ts";

/** How long the first of two messages waits for the one that it changes places with, milliseconds. */
const EXCHANGE_WAIT = 2_000;

/** Until an object is reset: its answer, and what was told of it, have to leave first, milliseconds. */
const EVICTION_PAUSE = 100;

/** As a network that is lost: the client comes back by itself. */
const LOST = { code: CLOSE_CODES.reload, reason: "a fault: the connection is lost" } as const;

/** What has happened, or what is armed, and more about it. */
type Details = Readonly<Record<string, unknown>>;
type Tell = (state: ObservedFault["state"], details: Details) => void;

/** What disturbs one socket, and what is on its way to it. */
interface Line {
  readonly late: LateLine;
  cut?: { readonly afterFrames: number; readonly tell: Tell } | undefined;
  exchange?: { readonly exchange: Exchange; readonly tell: Tell } | undefined;
}

/** What the object's pokes are delayed by; `left`: how many more of them. */
interface Delay {
  readonly ms: number;
  left: number;
  readonly tell: Tell;
}

export interface ObjectFaultsHost {
  readonly object: string;
  now(): number;
  later(milliseconds: number, run: () => void): void;
  tell(event: ObservedFault): void;
}

/** Faults of one shard, for as long as it is awake. */
export class ObjectFaults implements ShardFaults {
  readonly #host: ObjectFaultsHost;
  /** Set by the first that asks: until then nothing is disturbed. */
  #engine: ShardEngine | undefined;
  readonly #lines = new WeakMap<SocketConnection, Line>();
  #delay: Delay | undefined;
  /** The poke that is leaving now, to one socket after the other: all of it is late, or nothing. */
  #leaving: { readonly ms: number; sockets: number } | undefined;

  constructor(host: ObjectFaultsHost) {
    this.#host = host;
  }

  async inject(engine: ShardEngine, argument: unknown): Promise<unknown> {
    const fields = argument as Fields;
    const asked = shardFaultIn(fields);
    const cause = causeIn(fields);
    this.#engine = engine;
    return this.#do(engine, asked, this.#teller(asked, cause));
  }

  #teller(asked: ShardFault, cause: Cause): Tell {
    const { object, tell, now } = this.#host;
    const { fault } = asked;
    const socket = "socket" in asked ? { socket: asked.socket } : {};
    return (state, details) => tell({ type: "fault", at: now(), fault, state, ...cause, object, ...socket, details });
  }

  async #do(engine: ShardEngine, asked: ShardFault, tell: Tell): Promise<unknown> {
    const told = (state: ObservedFault["state"], details: Details): unknown => {
      tell(state, details);
      return { state, details };
    };
    switch (asked.fault) {
      case "dropSocket": {
        const connection = socketOf(engine, asked.socket);
        const answer = told("happened", {});
        this.#drop(connection);
        return answer;
      }
      case "cutPoke": {
        const { socket, afterFrames } = asked;
        this.#lineOf(socketOf(engine, socket)).cut = { afterFrames, tell };
        return told("armed", { afterFrames });
      }
      case "swapFrames": {
        const connection = socketOf(engine, asked.socket);
        const line = this.#lineOf(connection);
        this.#giveUp(connection, line);
        line.exchange = { exchange: new Exchange(), tell };
        return told("armed", {});
      }
      case "delayPokes": {
        const { ms, count } = asked;
        this.#delay = { ms, left: count, tell };
        return told("armed", { ms, count });
      }
      case "trimLog":
        return told("happened", await trim(engine, asked.to));
      case "evict": {
        const { host } = engine.insides;
        await host.sync();
        this.#host.later(EVICTION_PAUSE, () => host.discardTurn("a fault: the object is reset"));
        return told("happened", {});
      }
    }
  }

  through(connection: SocketConnection, messages: readonly string[]): readonly string[] {
    if (this.#engine === undefined) return messages;
    const ms = this.#lateness(messages);
    if (ms === 0 && !this.#lines.has(connection)) return messages;
    const line = this.#lineOf(connection);
    const { exchange: armed } = line;
    if (armed === undefined) {
      this.#handOver(connection, line, messages, ms);
      return [];
    }
    const { exchange, tell } = armed;
    const wasWaiting = exchange.isWaiting;
    const exchanged = exchange.take(messages);
    if (exchange.isOver) {
      line.exchange = undefined;
      tell("happened", { isExchanged: true });
    } else if (!wasWaiting && exchange.isWaiting)
      this.#host.later(EXCHANGE_WAIT, () => {
        if (line.exchange === armed) this.#giveUp(connection, line);
      });
    this.#handOver(connection, line, exchanged, ms);
    return [];
  }

  /** How late messages leave, milliseconds. */
  #lateness(messages: readonly string[]): number {
    const delay = this.#delay;
    if ((delay === undefined && this.#leaving === undefined) || !messages.some(isNews)) return 0;
    if (this.#leaving === undefined && delay !== undefined) {
      const leaving = { ms: delay.ms, sockets: 0 };
      this.#leaving = leaving;
      delay.left -= 1;
      if (delay.left === 0) this.#delay = undefined;
      const { left } = delay;
      // What leaves together leaves in one go.
      queueMicrotask(() => {
        this.#leaving = undefined;
        delay.tell("happened", { ...leaving, left });
      });
    }
    if (this.#leaving === undefined) return 0;
    this.#leaving.sockets += 1;
    return this.#leaving.ms;
  }

  #lineOf(connection: SocketConnection): Line {
    let line = this.#lines.get(connection);
    if (line === undefined) {
      line = { late: new LateLine(this.#host.now, this.#host.later) };
      this.#lines.set(connection, line);
    }
    return line;
  }

  #handOver(connection: SocketConnection, line: Line, messages: readonly string[], ms: number): void {
    const { cut } = line;
    if (cut === undefined || !messages.some(isNews)) {
      if (messages.length > 0) line.late.add(ms, () => send(connection, messages));
      return;
    }
    line.cut = undefined;
    const frames = apart(messages);
    const sent = frames.slice(0, cut.afterFrames);
    line.late.add(ms, () => {
      cut.tell("happened", { sent: sent.length, lost: frames.length - sent.length });
      send(connection, sent);
      this.#drop(connection);
    });
  }

  /** The second of two messages did not come. */
  #giveUp(connection: SocketConnection, line: Line): void {
    if (line.exchange?.exchange.isWaiting !== true) return;
    const { exchange, tell } = line.exchange;
    line.exchange = undefined;
    tell("happened", { isExchanged: false });
    this.#handOver(connection, line, exchange.giveUp(), 0);
  }

  #drop(connection: SocketConnection): void {
    connection.socket.close(LOST.code, LOST.reason);
    this.#engine?.disconnect(connection, LOST);
  }
}

function socketOf({ insides, name }: ShardEngine, socket: string): SocketConnection {
  for (const connection of insides.sockets.connections) if (connection.id === socket) return connection;
  throw refusal("NOT_FOUND", `\`${name}\` has no socket \`${socket}\`, or not any more`);
}

function send(connection: SocketConnection, messages: readonly string[]): void {
  if (connection.isClosed) return;
  for (const text of messages) connection.socket.send(text);
}

/** Forgets what is before a position, between two groups of mutations. */
function trim(engine: ShardEngine, to: number | undefined): Promise<Details> {
  return engine.exclusively(async () => {
    const { log } = engine;
    const { head } = log;
    const position = Math.min(to ?? head, head);
    log.trim(position);
    return { to: position, floor: log.floor, head };
  });
}
