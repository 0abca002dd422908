import type { Environment, ExecutionLifetime, LunoraDefinition } from "@lunora/server";

import type { Timers } from "./call-object.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** A request under `/_lunora/`, and what answering it takes. */
export interface RouteScope {
  /** Without the headers that only the server may set. */
  readonly request: Request;
  readonly env: Environment;
  readonly context: ExecutionLifetime;
  readonly definition: LunoraDefinition;
  readonly dispatcher: Dispatcher;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly timers: Timers;
}

/**
 * A reserved path and who answers it. Parts that not every app has bring their own, so that a worker without them does
 * not carry them.
 */
export interface Route {
  /** Below `/_lunora`, for example `/_lunora/rpc`; one that ends in `/*` takes every path below it. */
  readonly path: string;
  /** What it takes; anything else is `METHOD_NOT_ALLOWED`. */
  readonly methods: readonly string[];
  /** Answers. What it throws is told as a coded, redacted error. */
  handle(scope: RouteScope): Promise<Response>;
}

/** The route of a path: one that names it exactly, else the longest that takes what is below it. */
export function findRoute(routes: readonly Route[], path: string): Route | undefined {
  const exact = routes.find((route) => route.path === path);
  if (exact !== undefined) return exact;
  return routes
    .filter((route) => route.path.endsWith("/*") && path.startsWith(route.path.slice(0, -1)))
    .toSorted((one, other) => other.path.length - one.path.length)[0];
}
