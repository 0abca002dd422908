/** The part of a WebSocket that the client uses. */
export interface ClientSocket {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

/** The part of the Web Locks API that the client uses: a lock is held until the callback's promise settles. */
export interface ClientLocks {
  request(
    name: string,
    options: { readonly ifAvailable?: boolean },
    callback: (lock: object | null) => Promise<void> | undefined,
  ): Promise<unknown>;
}

/** What the client takes from its surroundings; a test or a simulation brings its own. */
export interface ClientEnvironment {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back after the time, unless what it returns is called before. */
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** Absent where there are no sockets: then everything goes over HTTP. */
  readonly WebSocket?: (new (url: string, protocols: string[]) => ClientSocket) | undefined;
  /** Those of the host unless given; where there are none, one tab at a time is assumed. */
  readonly locks?: ClientLocks | undefined;
  /** Tells when the device comes online (`true`) or goes offline; returns what ends that. */
  readonly onNetworkChange: (listener: (isOnline: boolean) => void) => () => void;
  /** Takes errors of the app's listeners and updates, which have no caller to go to. */
  readonly report: (error: unknown) => void;
}

/** The surroundings as the host has them now. */
export function hostEnvironment(): ClientEnvironment {
  const host: Partial<typeof globalThis> = globalThis;
  return {
    fetch: (url, init) => globalThis.fetch(url, init),
    random: Math.random,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    now: Date.now,
    setTimer: (milliseconds, callback) => {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    WebSocket: host.WebSocket as ClientEnvironment["WebSocket"],
    onNetworkChange: (listener) => {
      const ending = new AbortController();
      host.addEventListener?.("online", () => listener(true), ending);
      host.addEventListener?.("offline", () => listener(false), ending);
      return () => ending.abort();
    },
    report: (error) => (host.reportError ?? console.error)(error),
  };
}
