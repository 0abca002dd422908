import type { SessionState } from "./dev-session.ts";

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** The lines that Lunora adds to Vite's start-up block; none until there is something true to say. */
export function bannerLines(state: SessionState, paint: (text: string) => string): string[] {
  const { generated, worker, inspector, chaos } = state;
  if (worker === undefined) return [];
  const counts =
    generated === undefined ? "" : `${plural(generated.tables, "table")}, ${plural(generated.functions, "function")}, `;
  const ready = `${counts}workerd ready in ${Math.round(worker.milliseconds)} ms`;
  const wrong = chaos === undefined ? [] : [`  ${paint("➜")}  Chaos:   seed ${chaos}, things go wrong on purpose`];
  if (inspector === undefined) return [`  ${paint("➜")}  Lunora:  ${ready}`, ...wrong];
  return [`  ${paint("➜")}  Lunora:  ${inspector.url}`, `     ${ready}`, ...wrong];
}
