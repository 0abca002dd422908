import { pack } from "./pack-frames.ts";

/**
 * Frames that leave together and that many sockets get alike: made, and put together as they
 * travel, once for all of them. None of them says anything about one client's pushes.
 */
export class SharedFrames {
  /** Each as JSON. */
  readonly texts: readonly string[];
  #batches: readonly string[] | undefined;

  constructor(texts: readonly string[]) {
    this.texts = texts;
  }

  /** As they travel to a socket that gets nothing else. */
  messages(takesBatches: boolean): readonly string[] {
    if (!takesBatches) return this.texts;
    return (this.#batches ??= pack(this.texts, true));
  }
}
