import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventsOfGroup } from "./group-events.ts";
import type { Loose } from "./loose.ts";

/** How posts are answered: at once, not at all, or not even read. */
export type Manner = "answers" | "hangs" | "stopsReading";

/** Stands in for the inspector: hears what a tap tells. */
export class TapListener {
  readonly path: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];
  /** What answers say. */
  isOpen = true;
  manner: Manner = "answers";
  /** Everything that came, in its order. */
  readonly events: Loose[] = [];
  /** The first line of each post. */
  readonly heads: Loose[] = [];
  /** Characters of each post. */
  readonly lengths: number[] = [];
  /** Posts that began. */
  begun = 0;
  #waiters: (() => void)[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "tap.sock");
    this.#server = createServer((request, response) => {
      this.begun += 1;
      this.#wake();
      if (this.manner === "stopsReading") {
        request.pause();
        return;
      }
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        this.lengths.push(text.length);
        const [head, ...events] = text
          .trimEnd()
          .split("\n")
          .map((line: string) => JSON.parse(line) as Loose);
        this.heads.push(head);
        this.events.push(
          ...events.flatMap((event: Loose) => (event.type === "group" ? eventsOfGroup(event) : [event])),
        );
        if (this.manner === "hangs") this.#held.push(response);
        else response.writeHead(this.isOpen ? 200 : 204).end();
        this.#wake();
      });
      request.on("error", () => {});
    });
  }

  /** Makes a place to listen at; nobody listens there yet. */
  static async create(): Promise<TapListener> {
    return new TapListener(await mkdtemp(join(tmpdir(), "lunora-tap-")));
  }

  static async start(): Promise<TapListener> {
    const listener = await TapListener.create();
    await listener.listen();
    return listener;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves once `found` answers something. */
  async until<Found>(found: () => Found | undefined | false): Promise<Found> {
    for (;;) {
      const value = found();
      if (value !== undefined && value !== false) return value;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** The first event, from the place on, that passes. */
  next(passes: (event: Loose) => boolean, from = 0): Promise<Loose> {
    return this.until(() => this.events.slice(from).find(passes));
  }

  async stop(): Promise<void> {
    for (const response of this.#held) response.end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
