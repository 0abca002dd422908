import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** A line between a client and a server that can be cut for real. */
export class Cable {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  isOnline = true;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `port` says where the server listens now. */
  static async lay(port: () => number): Promise<Cable> {
    const server = createServer((near) => {
      near.on("error", () => near.destroy());
      // Not before the request: a host's WebSocket may miss it.
      if (!cable.isOnline) return void near.once("data", () => near.destroy());
      const far = connect(port(), "127.0.0.1");
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.#ends.add(end);
        end.pipe(other);
        // Whatever breaks one half breaks the other: the client sees that its connection is gone.
        end.on("error", () => other.destroy());
        end.on("close", () => {
          cable.#ends.delete(end);
          other.destroy();
        });
      }
    });
    const cable = new Cable(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cable;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks what goes over it now. */
  cut(): void {
    for (const end of this.#ends) end.destroy();
  }

  async remove(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
