import type { PresenceMember, PresenceServerFrame } from "@lunora/protocol";

/** Changes of a room that its members have not been told yet, each member's folded into one. */
export class PendingChanges {
  readonly #joined = new Set<string>();
  readonly #updated = new Set<string>();
  readonly #left = new Set<string>();

  get isEmpty(): boolean {
    return this.#joined.size + this.#updated.size + this.#left.size === 0;
  }

  join(memberId: string): void {
    this.#joined.add(memberId);
  }

  update(memberId: string): void {
    // Who comes is told whole.
    if (!this.#joined.has(memberId)) this.#updated.add(memberId);
  }

  leave(memberId: string): void {
    this.#updated.delete(memberId);
    this.#joined.delete(memberId);
    // Also of one that came just now: somebody who came meanwhile has seen it.
    this.#left.add(memberId);
  }

  /** The frame that tells them, with members as they are now; nothing is pending after. */
  take(members: ReadonlyMap<string, PresenceMember>): PresenceServerFrame {
    const find = (ids: ReadonlySet<string>): PresenceMember[] =>
      Array.from(ids, (id) => members.get(id)).filter((member) => member !== undefined);
    const [joined, updated, left] = [find(this.#joined), find(this.#updated), [...this.#left]];
    for (const changes of [this.#joined, this.#updated, this.#left]) changes.clear();
    return {
      type: "presence",
      ...(joined.length === 0 ? {} : { joined }),
      ...(updated.length === 0 ? {} : { updated: updated.map(({ memberId, data }) => ({ memberId, data })) }),
      ...(left.length === 0 ? {} : { left }),
    };
  }
}
