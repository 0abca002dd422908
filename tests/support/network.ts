// The network between a browser and the server, to be cut and mended.
import type { BrowserContext, WebSocketRoute } from "playwright-core";

/** What a tab's frames cross on their way. */
export class Network {
  readonly #sockets = new Set<WebSocketRoute>();
  readonly #delay: () => number;
  #isCut = false;
  #lose: (() => void) | undefined;

  private constructor(delay: () => number) {
    this.#delay = delay;
  }

  /**
   * Stands between the pages of a browser, opened from now on, and the server. `delay` is asked for
   * each of the server's frames, milliseconds.
   */
  static async of(context: BrowserContext, delay: () => number = () => 0): Promise<Network> {
    const network = new Network(delay);
    await context.routeWebSocket(/\/_lunora\/ws/, (socket) => network.#join(socket));
    await context.route("**/_lunora/**", (route) => (network.#isCut ? route.abort() : route.continue()));
    return network;
  }

  /** Closes what is open and lets nothing through. The page itself can still be loaded. */
  async cut(): Promise<void> {
    this.#isCut = true;
    for (const socket of this.#sockets) await socket.close({ code: 4000 });
    this.#sockets.clear();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Lets the next push through, and closes the socket in place of its answer. Resolves when it has passed. */
  loseNextAnswer(): Promise<void> {
    return new Promise((resolve) => (this.#lose = resolve));
  }

  #join(page: WebSocketRoute): void {
    if (this.#isCut) {
      void page.close({ code: 4000 });
      return;
    }
    this.#sockets.add(page);
    const server = page.connectToServer();
    let isLost = false;
    let earlier = Promise.resolve();
    page.onMessage((text) => {
      if (this.#lose !== undefined && String(text).includes('"push"')) {
        isLost = true;
        this.#lose();
        this.#lose = undefined;
      }
      server.send(text);
    });
    server.onMessage((text) => {
      if (isLost) {
        // The server has answered: it has done what it was asked.
        this.#sockets.delete(page);
        void page.close({ code: 4000 });
        return;
      }
      const delay = this.#delay();
      earlier = earlier.then(async () => {
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        if (this.#sockets.has(page)) page.send(text);
      });
    });
    page.onClose((code, reason) => {
      this.#sockets.delete(page);
      void server.close({ ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }) });
    });
  }
}
