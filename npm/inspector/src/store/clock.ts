import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

/** The time, once a second, epoch milliseconds: what says `4 s ago` reads it. */
export const now: Signal<number> = signal(Date.now());

setInterval(() => (now.value = Date.now()), 1000);
