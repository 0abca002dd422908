import { useSyncExternalStore } from "react";

/** What the address bar says. */
export type Route =
  | { readonly page: "home" | "latest" | "about" | "missing" }
  | { readonly page: "channel"; readonly name: string };

const listeners = new Set<() => void>();
let hasNavigated = false;

addEventListener("popstate", () => {
  hasNavigated = true;
  notify();
});

/** Goes to a path of this app without loading the page again. */
export function navigate(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace === true) {
    history.replaceState(null, "", path);
  } else {
    history.pushState(null, "", path);
    hasNavigated = true;
  }
  notify();
}

/** Was a page chosen in the app, rather than loaded by the browser? Only then may focus move. */
export function wasNavigated(): boolean {
  return hasNavigated;
}

export function channelPath(name: string): string {
  return `/c/${encodeURIComponent(name)}`;
}

export function parseRoute(path: string): Route {
  if (path === "/") return { page: "home" };
  if (path === "/latest") return { page: "latest" };
  if (path === "/about") return { page: "about" };
  const channel = /^\/c\/([^/]+)$/.exec(path)?.[1];
  const name = channel === undefined ? undefined : decode(channel);
  return name === undefined ? { page: "missing" } : { page: "channel", name };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}

/** People type addresses, and not every `%` in them starts an escape. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
