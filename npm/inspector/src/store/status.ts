import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import type { Refusal } from "../api/refusal.ts";
import type { Status } from "../api/status.ts";
import { api } from "./api.ts";

const EVERY = 3000;

/** What the server last said of itself. */
export const status: Signal<Status | undefined> = signal(undefined);

/** Why it did not, when the last question failed. */
export const statusRefusal: Signal<Refusal | undefined> = signal(undefined);

export async function askStatus(): Promise<Status | undefined> {
  try {
    status.value = await api.get<Status>("status");
    statusRefusal.value = undefined;
    return status.value;
  } catch (error) {
    statusRefusal.value = error as Refusal;
    return undefined;
  }
}

/** Asks while somebody looks; ends with the function it gives. */
export function followStatus(): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") void askStatus();
  }, EVERY);
  return () => clearInterval(timer);
}
