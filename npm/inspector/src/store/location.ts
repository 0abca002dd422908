import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import { parseRoute } from "../logic/route.ts";
import type { Route } from "../logic/route.ts";

const here = (): Route => parseRoute(location.pathname, location.search);

/** Where the page is. */
export const route: Signal<Route> = signal(here());

addEventListener("popstate", () => (route.value = here()));

/** Goes to an address of the inspector. */
export function go(address: string): void {
  history.pushState(null, "", address);
  route.value = here();
}

/** Changes the query of the place; `undefined` and empty values are taken out. No step of the history. */
export function setQuery(values: Readonly<Record<string, string | number | undefined>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, String(value));
  }
  history.replaceState(history.state, "", query.size === 0 ? location.pathname : `${location.pathname}?${query}`);
  route.value = here();
}

/** Ordinary links of the page lead through {@link go}; clicks that ask for a tab or a file are left alone. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a");
    if (link === null || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname === location.pathname && link.hash !== "") return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
