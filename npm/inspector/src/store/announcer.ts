import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

/** What a screen reader is told next; one text at most every two seconds, the newest. */
export const announced: Signal<string> = signal("");

const QUIET = 2000;
let next: string | undefined;
let isQuiet = false;

/** Tells a screen reader; what comes too fast is left out but for the last. */
export function announce(text: string): void {
  next = text;
  if (!isQuiet) tell();
}

function tell(): void {
  if (next === undefined) return;
  announced.value = next;
  next = undefined;
  isQuiet = true;
  setTimeout(() => {
    isQuiet = false;
    tell();
  }, QUIET);
}
