import type { FaultEvent } from "../api/events.ts";

const TITLES: Readonly<Record<string, string>> = {
  dropSocket: "Socket dropped",
  cutPoke: "Poke cut",
  swapFrames: "Frames swapped",
  delayPokes: "Pokes delayed",
  trimLog: "Log trimmed",
  evict: "Object evicted",
  failRegion: "Region failed",
  chaos: "Chaos",
};

/** What went wrong on purpose, in two words. */
export const faultTitle = (fault: string): string => TITLES[fault] ?? fault;

/** Who wanted it: with a seed, so that it can be had again. */
export function faultCause(event: FaultEvent): string {
  if (event.by === "user") return "you";
  const step = event.step === undefined || event.fault === "chaos" ? "" : `, step ${event.step}`;
  return `chaos ${event.seed ?? ""}${step}`;
}

/** Parameters and what came of them, or why nothing did. */
export function faultDetails(event: FaultEvent): string {
  if (event.state === "skipped" && typeof event.details?.["message"] === "string") return event.details["message"];
  const region = "region" in event && event.region !== undefined ? [`region ${event.region ?? "not pinned"}`] : [];
  const details = Object.entries(event.details ?? {}).map(([name, value]) => `${name} ${String(value)}`);
  return [...region, ...details].join(", ");
}

/** Whether something was disturbed: a step without a target was not, and neither does a beginning or an end. */
export const isDisturbance = (event: FaultEvent): boolean => event.state === "armed" || event.state === "happened";
