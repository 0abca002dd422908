import { VIEWS } from "./route.ts";
import type { ViewName } from "./route.ts";

/** What a key asks for. */
export type Action =
  | { readonly kind: "go"; readonly view: ViewName }
  | { readonly kind: "search" | "help" | "next" | "previous" | "pause" | "theme" };

/** What was pressed before: `g` waits for a letter until `until`, epoch milliseconds. */
export interface Pending {
  readonly until: number;
}

const WAITS = 1500;

const SINGLE: Readonly<Record<string, Action>> = {
  "/": { kind: "search" },
  "?": { kind: "help" },
  j: { kind: "next" },
  k: { kind: "previous" },
  " ": { kind: "pause" },
  t: { kind: "theme" },
};

/** What a key means after what was pressed before. */
export function press(
  key: string,
  now: number,
  pending: Pending | undefined,
): { readonly action?: Action; readonly pending?: Pending } {
  if (pending !== undefined && now <= pending.until) {
    const view = VIEWS.find(({ letter }) => letter === key);
    return view === undefined ? {} : { action: { kind: "go", view: view.name } };
  }
  if (key === "g") return { pending: { until: now + WAITS } };
  const action = SINGLE[key];
  return action === undefined ? {} : { action };
}
