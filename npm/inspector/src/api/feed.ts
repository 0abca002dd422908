import type { TimelineEvent } from "./events.ts";

/** What the feed tells whoever follows it. */
export interface FeedListener {
  events(events: readonly TimelineEvent[]): void;
  /** The server let go of that many events, because this page read too slowly. */
  lagged(count: number): void;
  state(state: FeedState): void;
}

export type FeedState = "connecting" | "live" | "lost";

interface FeedMessage {
  readonly events?: readonly TimelineEvent[];
  readonly next?: number;
  readonly lagged?: number;
}

const FIRST_RETRY = 250;
const LONGEST_RETRY = 5000;

/** Follows the timeline over a WebSocket, and goes on where it stopped when the connection is lost. */
export class Feed {
  readonly #listener: FeedListener;
  readonly #url: string;
  readonly #token: string;
  #next: number;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: number = FIRST_RETRY;

  /** `after` is the number of the last event that is known already. */
  constructor(url: string, token: string, after: number, listener: FeedListener) {
    this.#url = url;
    this.#token = token;
    this.#next = after;
    this.#listener = listener;
  }

  open(): void {
    this.#listener.state("connecting");
    const socket = new WebSocket(this.#url, ["lunora.inspector", `token.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#retry = FIRST_RETRY;
      socket.send(JSON.stringify({ after: this.#next }));
      this.#listener.state("live");
    });
    socket.addEventListener("message", (message: MessageEvent<string>) => this.#receive(message.data));
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#reconnect();
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #receive(data: string): void {
    const message = JSON.parse(data) as FeedMessage;
    if (message.events !== undefined && message.events.length > 0) {
      this.#next = message.events.at(-1)?.n ?? this.#next;
      this.#listener.events(message.events);
    }
    if (message.lagged !== undefined) this.#listener.lagged(message.lagged);
  }

  #reconnect(): void {
    this.#listener.state("lost");
    this.#timer = setTimeout(() => this.open(), this.#retry);
    this.#retry = Math.min(LONGEST_RETRY, this.#retry * 2);
  }
}
