import { CAPABILITIES } from "@lunora/protocol";
import type { Capability, ServerFrame } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { Connection } from "../live/connection.ts";
import type { HostSocket } from "./host-socket.ts";
import { frameTexts, pack } from "./pack-frames.ts";
import type { SharedFrames } from "./shared-frames.ts";
import { SubscriptionList } from "./subscription-list.ts";

/** What a socket is, apart from its subscriptions. */
export interface SocketFacts {
  readonly id: string;
  readonly identity: Identity | null;
  /** Set by `connect`. */
  readonly client?: {
    readonly clientId?: string;
    readonly capabilities: readonly Capability[];
  };
}

/** A socket and what is queued for it. */
export class SocketConnection implements Connection {
  readonly socket: HostSocket;
  readonly #onQueued: (connection: SocketConnection) => void;
  #facts: SocketFacts;
  #capabilities: ReadonlySet<Capability>;
  #texts: string[] = [];
  /** Queued, and nothing else is. */
  #shared: SharedFrames | undefined;
  #toldMutation = false;
  isClosed = false;
  /** Its queries, shapes and topics, and those that are still being asked about. */
  readonly subscriptions: SubscriptionList = new SubscriptionList();
  /** Topics that it listens to. */
  readonly topics: Set<string> = new Set();
  /** Ids of streams that have not ended. */
  readonly streams: Set<string> = new Set();
  /** What the app's rule has said, by path: asked once for each. */
  readonly permissions: Map<string, Promise<void>> = new Map();
  /** Paths that the rule has allowed. */
  readonly permitted: Set<string> = new Set();
  /** What its frames that wait may take, in characters. */
  pending = 0;

  constructor(socket: HostSocket, facts: SocketFacts, onQueued: (connection: SocketConnection) => void) {
    this.socket = socket;
    this.#facts = facts;
    this.#capabilities = new Set(facts.client?.capabilities);
    this.#onQueued = onQueued;
  }

  get facts(): SocketFacts {
    return this.#facts;
  }

  get id(): string {
    return this.#facts.id;
  }

  get identity(): Identity | null {
    return this.#facts.identity;
  }

  get clientId(): string | undefined {
    return this.#facts.client?.clientId;
  }

  get capabilities(): ReadonlySet<Capability> {
    return this.#capabilities;
  }

  get isConnected(): boolean {
    return this.#facts.client !== undefined;
  }

  /** `connect` has come. */
  greet(clientId: string | undefined, capabilities: readonly Capability[]): void {
    this.#facts = { ...this.#facts, client: { ...(clientId === undefined ? {} : { clientId }), capabilities } };
    this.#capabilities = new Set(capabilities);
  }

  /** Whether the identity was given for a time that is over. */
  isExpired(now: number): boolean {
    const expiresAt = this.identity?.expiresAt;
    return typeof expiresAt === "number" && expiresAt <= now;
  }

  /** `isOthers`: the frame's `lastMutationId` is that of another client than its own. */
  send(frame: ServerFrame, isOthers = false): void {
    if (this.isClosed) return;
    this.#own().push(...frameTexts(frame));
    if (!isOthers && "lastMutationId" in frame && frame.lastMutationId !== undefined) this.#toldMutation = true;
    this.#onQueued(this);
  }

  sendText(text: string, lastMutationId?: number): void {
    if (this.isClosed) return;
    this.#own().push(text);
    if (lastMutationId !== undefined) this.#toldMutation = true;
    this.#onQueued(this);
  }

  sendShared(frames: SharedFrames): void {
    if (this.isClosed) return;
    if (this.#shared === undefined && this.#texts.length === 0) this.#shared = frames;
    else this.#own().push(...frames.texts);
    this.#onQueued(this);
  }

  /** What is queued, to be added to. */
  #own(): string[] {
    if (this.#shared !== undefined) this.#texts.push(...this.#shared.texts);
    this.#shared = undefined;
    return this.#texts;
  }

  /** Whether a frame that is queued carries the client's `lastMutationId`. */
  get toldMutation(): boolean {
    return this.#toldMutation;
  }

  /** What is queued, as it travels; the queue is empty after. */
  take(): readonly string[] {
    const takesBatches = this.#capabilities.has(CAPABILITIES.batch);
    const messages = this.#shared?.messages(takesBatches) ?? pack(this.#texts, takesBatches);
    this.#shared = undefined;
    this.#texts = [];
    this.#toldMutation = false;
    return messages;
  }
}
