import type { ClientEnvironment, ClientLocks } from "./environment.ts";
import type { Box } from "./offline-part.ts";
import type { OutboxEntry } from "./outbox.ts";
import { openOutbox } from "./outbox.ts";
import type { ClientStorage } from "./storage.ts";

/** How often the leading tab looks for what closed tabs left behind. */
export const SCAN_INTERVAL_MS = 15_000;
const PREFIX = "o/";

/** An entry as it is stored. */
type StoredEntry = Omit<OutboxEntry, "order" | "isTried"> & Pick<Box, "identity">;

export function entryKey(clientId: string, order: number): string {
  return `${PREFIX}${clientId}/${String(order).padStart(10, "0")}`;
}

export function storedEntry({ identity }: Box, entry: OutboxEntry): StoredEntry {
  const { seq, mutationId, path, args, bytes, at, shard } = entry;
  return { seq, mutationId, path, args, bytes, at, shard, identity };
}

export interface LanesOptions {
  /** Scopes the names of the locks. */
  readonly name: string;
  readonly clientId: string;
  readonly environment: ClientEnvironment;
  readonly storage: ClientStorage;
  /** Who is signed in, if that is known. */
  readonly identity: () => string | undefined;
  /** Takes what a page left that is gone. */
  readonly adopt: (boxes: readonly Box[]) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Each page has a lane of its own: a client id, what it has stored under it, and a lock that it
 * holds while it lives. A lane whose lock can be had has lost its page, and whoever gets the lock
 * sends what is in it, under the lane's id; only pages of the identity that wrote it try. They look
 * for such lanes before they send anything of their own, so that a reload keeps the order; one
 * leading tab looks again and again.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #locks: ClientLocks | undefined;
  readonly #releases = new Map<string, () => void>();
  #isClosed = false;

  constructor(options: LanesOptions) {
    const { environment } = options;
    const host: Partial<typeof globalThis> = globalThis;
    this.#options = options;
    this.#locks = "locks" in environment ? environment.locks : (host.navigator?.locks as ClientLocks | undefined);
  }

  /** Resolves when this page holds its own lock. Nothing may be stored before. */
  async start(): Promise<void> {
    await this.#lock(this.#options.clientId, false);
    if (this.#locks === undefined) return;
    // Settles when this page leads, which may be never.
    void this.#lock("leader", false).then(() => this.#lead(), this.#options.onError);
  }

  /** Takes over every lane that has no page and something that the signed-in identity wrote. */
  async scan(): Promise<void> {
    const { storage, adopt, identity } = this.#options;
    const stored = await storage.list(PREFIX);
    for (const clientId of new Set(boxesOf(stored, identity()).map((box) => box.clientId))) {
      if (this.#isClosed || this.#releases.has(clientId) || !(await this.#lock(clientId, true))) continue;
      // Read again: its page may have changed it before it went, and another identity may have signed in here.
      const boxes = boxesOf(await storage.list(`${PREFIX}${clientId}/`), identity());
      if (boxes.length > 0) adopt(boxes);
      else this.release(clientId);
    }
  }

  /** Lets others have the lane. */
  release(clientId: string): void {
    this.#releases.get(clientId)?.();
    this.#releases.delete(clientId);
  }

  close(): void {
    this.#isClosed = true;
    for (const clientId of Array.from(this.#releases.keys())) this.release(clientId);
  }

  #lead(): void {
    if (this.#isClosed) return;
    const again = this.#options.environment.setTimer(SCAN_INTERVAL_MS, () => {
      this.#releases.delete("timer");
      this.scan()
        .catch(this.#options.onError)
        .finally(() => this.#lead());
    });
    this.#releases.set("timer", again);
  }

  /** Resolves to whether the lock is held from now on. */
  #lock(lane: string, ifAvailable: boolean): Promise<boolean> {
    const { name } = this.#options;
    return new Promise((resolve, reject) => {
      const hold = (lock: object | null): Promise<void> | undefined => {
        resolve(lock !== null);
        return lock === null || this.#isClosed
          ? undefined
          : new Promise((release) => this.#releases.set(lane, release));
      };
      if (this.#locks === undefined) void hold({});
      else this.#locks.request(`${name}:${lane}`, { ifAvailable }, hold).catch(reject);
    });
  }
}

/** The outboxes of an identity among stored entries. */
function boxesOf(stored: readonly (readonly [key: string, value: unknown])[], identity: string | undefined): Box[] {
  const boxes = new Map<string, Box & { readonly entries: OutboxEntry[] }>();
  for (const [key, value] of stored) {
    const { identity: writer, ...entry } = value as StoredEntry;
    const { shard } = entry;
    if (writer !== identity) continue;
    const [, clientId = "", order] = key.split("/");
    const place = `${clientId} ${shard}`;
    const box = boxes.get(place) ?? { clientId, shard, identity: writer, state: openOutbox(), entries: [] };
    boxes.set(place, box);
    box.entries.push({ ...entry, order: Number(order), isTried: true });
  }
  return [...boxes.values()].map(({ entries, ...box }) => ({ ...box, state: openOutbox(entries) }));
}
