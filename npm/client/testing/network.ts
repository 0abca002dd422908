import type { ClientSocket } from "../src/index.ts";

/** The server's end of a connection. */
export interface ServerEnd {
  /** A frame from the client. */
  receive(text: string): void;
  /** The client is gone. */
  closed(): void;
}

/** Takes a connection, or refuses it with a close code. */
export type Accept = (socket: Wire, url: URL, token: string | null) => ServerEnd | number;

/** One connection: what is on its way in each direction, in order. Nothing moves by itself. */
export class Wire {
  readonly client: ClientSocket;
  readonly #network: Network;
  readonly #listeners = new Map<string, (event: never) => void>();
  readonly #toServer: string[] = [];
  readonly #toClient: (string | number)[] = [];
  #server: ServerEnd | undefined;
  #state: "opening" | "open" | "closed" = "opening";
  readonly #url: URL;
  readonly #token: string | null;
  readonly owner: object;

  constructor(network: Network, owner: object, url: string, protocols: readonly string[]) {
    this.#network = network;
    this.owner = owner;
    this.#url = new URL(url);
    const bearer = protocols.find((protocol) => protocol.startsWith("lunora.bearer."))?.slice(14);
    this.#token = bearer === undefined ? null : Buffer.from(bearer, "base64url").toString();
    this.client = {
      send: (text) => void (this.#state === "open" && this.#toServer.push(text)),
      close: () => this.#closeFromClient(),
      addEventListener: (type: string, listener: (event: never) => void) => void this.#listeners.set(type, listener),
    };
  }

  /** Nobody listens any more. */
  abandon(): void {
    this.#listeners.clear();
  }

  #tell(type: string, event: object): void {
    this.#listeners.get(type)?.(event as never);
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get isIdle(): boolean {
    return (
      this.#state === "closed" || (this.#state === "open" && this.#toServer.length === 0 && this.#toClient.length === 0)
    );
  }

  /** Sends to the client. */
  send(text: string): void {
    if (this.#state === "open") this.#toClient.push(text);
  }

  /** The server closes; what it sent before still arrives. */
  close(code: number): void {
    if (this.#state === "open") this.#toClient.push(code);
    this.#toServer.length = 0;
    this.#server = undefined;
  }

  /** Moves one thing on: the handshake, a frame to the server, or a frame to the client. */
  step(random: () => number): void {
    if (this.#state === "opening") return this.#open();
    const goesUp = this.#toServer.length > 0 && (this.#toClient.length === 0 || random() < 0.5);
    if (goesUp) this.#server?.receive(this.#toServer.shift() as string);
    else if (this.#toClient.length > 0) this.#arrive(this.#toClient.shift() as string | number);
  }

  /** The connection breaks; `arriving` of the frames on their way up still get through, none of those on their way down. */
  cut(arriving: number): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#toClient.length = 0;
    const late = this.#toServer.splice(0).slice(0, arriving);
    const server = this.#server;
    this.#server = undefined;
    if (server && wasOpen) {
      // The server learns later than the client, and gets what was on its way.
      this.#network.later(() => {
        for (const text of late) server.receive(text);
        server.closed();
      });
    }
    this.#tell("close", { code: 1006 });
  }

  #open(): void {
    if (!this.#network.isOnline(this.owner)) {
      this.#state = "closed";
      this.#tell("close", { code: 1006 });
      return;
    }
    this.#state = "open";
    const server = this.#network.accept(this, this.#url, this.#token);
    this.#tell("open", {});
    if (typeof server === "number") this.close(server);
    else this.#server = server;
  }

  #arrive(message: string | number): void {
    if (typeof message === "string") return this.#tell("message", { data: message });
    this.#state = "closed";
    this.#toServer.length = 0;
    this.#tell("close", { code: message });
  }

  #closeFromClient(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#toClient.length = 0;
    const server = this.#server;
    const late = this.#toServer.splice(0);
    this.#network.later(() => {
      for (const text of late) server?.receive(text);
      server?.closed();
    });
  }
}

/** All connections. */
export class Network {
  readonly accept: Accept;
  readonly wires: Set<Wire> = new Set();
  readonly #offline = new Set<object>();
  /** While true, what connections that are gone had on their way up does not arrive yet. */
  holdsLate = false;
  #later: (() => void)[] = [];

  constructor(accept: Accept) {
    this.accept = accept;
  }

  /** The `WebSocket` of one tab. */
  socketsOf(owner: object): new (url: string, protocols: string[]) => ClientSocket {
    const connect = (url: string, protocols: string[]): ClientSocket => {
      const wire = new Wire(this, owner, url, protocols);
      this.wires.add(wire);
      return wire.client;
    };
    return function (url: string, protocols: string[]) {
      return connect(url, protocols);
    } as unknown as new (url: string, protocols: string[]) => ClientSocket;
  }

  isOnline(owner: object): boolean {
    return !this.#offline.has(owner);
  }

  setOnline(owner: object, isOnline: boolean): void {
    if (isOnline) this.#offline.delete(owner);
    else this.#offline.add(owner);
  }

  wiresOf(owner: object): Wire[] {
    return [...this.wires].filter((wire) => wire.owner === owner);
  }

  /** Something that reaches the server at some time. */
  later(work: () => void): void {
    this.#later.push(work);
  }

  /** The server is gone, and everything that was on its way to it or from it. */
  breakAll(): void {
    this.#later = [];
    for (const wire of this.wires) wire.cut(0);
    this.#later = [];
  }

  /** Moves one random thing on; false when nothing can move. */
  step(random: () => number): boolean {
    if (this.hasLate && random() < 0.3) {
      this.#later.splice(Math.floor(random() * this.#later.length), 1)[0]?.();
      return true;
    }
    for (const wire of this.wires) if (wire.isClosed) this.wires.delete(wire);
    const busy = [...this.wires].filter((wire) => !wire.isIdle);
    const wire = busy[Math.floor(random() * busy.length)];
    if (wire === undefined) {
      if (this.hasLate) this.#later.shift()?.();
      return false;
    }
    wire.step(random);
    return true;
  }

  get hasLate(): boolean {
    return !this.holdsLate && this.#later.length > 0;
  }
}
