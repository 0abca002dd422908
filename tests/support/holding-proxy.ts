// A proxy that keeps chosen requests from their server, so that a test can act in the middle of a command.
import { createServer, request as ask } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export class HoldingProxy {
  readonly #server: Server;
  readonly #target: string;
  readonly #holds: { matches: (path: string) => boolean; held: () => void }[] = [];

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  static async start(target: string): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    const index = this.#holds.findIndex(({ matches }) => matches(path));
    if (index >= 0) {
      this.#holds.splice(index, 1)[0]?.held();
      return;
    }
    const forwarded = ask(
      new URL(path, this.#target),
      { method: request.method, headers: { ...request.headers, host: new URL(this.#target).host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    forwarded.once("error", () => response.destroy());
    request.pipe(forwarded);
  }

  /** Lets `passing` requests whose path has `part` in it go by; resolves when the next one has come. It is never answered. */
  hold(part: string, passing = 0): Promise<void> {
    let left = passing;
    return new Promise((held) => {
      this.#holds.push({
        held,
        matches: (path) => {
          if (!path.includes(part)) return false;
          left -= 1;
          return left < 0;
        },
      });
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
