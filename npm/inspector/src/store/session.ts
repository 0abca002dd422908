import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

const KEY = "lunora.inspector.token";

/** The run's token; `undefined` when nobody has given one, or the one given was refused. */
export const token: Signal<string | undefined> = signal(undefined);

/** Whether the last token was refused, so that the page can say so. */
export const wasRefused: Signal<boolean> = signal(false);

/** Takes the token from the address and removes it there, so that no history, screenshot or copied link holds it. */
export function readToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  token.value = given ?? sessionStorage.getItem(KEY) ?? undefined;
}

/** Takes a token that somebody typed, or the whole link that Vite printed. */
export function giveToken(text: string): void {
  const given = /#token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
  sessionStorage.setItem(KEY, given);
  wasRefused.value = false;
  token.value = given;
}

/** The server does not take the token: a new run has a new one. */
export function refuseToken(): void {
  sessionStorage.removeItem(KEY);
  wasRefused.value = true;
  token.value = undefined;
}
