import { isNews } from "./frames.ts";

/** Lets two messages with news change places. What comes between them waits, and keeps its place. */
export class Exchange {
  #held: string[] = [];
  #isOver = false;

  /** Whether there is nothing left to do. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the first of the two waits for the second. */
  get isWaiting(): boolean {
    return this.#held.length > 0;
  }

  /** What goes on, of what came. */
  take(messages: readonly string[]): string[] {
    const out: string[] = [];
    for (const message of messages) {
      if (this.#isOver) out.push(message);
      else if (!isNews(message)) (this.isWaiting ? this.#held : out).push(message);
      else if (!this.isWaiting) this.#held.push(message);
      else {
        const [first, ...between] = this.#held as [string, ...string[]];
        out.push(message, ...between, first);
        this.#end();
      }
    }
    return out;
  }

  /** No second one came: what was held, in its order. */
  giveUp(): string[] {
    const held = this.#held;
    this.#end();
    return held;
  }

  #end(): void {
    this.#held = [];
    this.#isOver = true;
  }
}
