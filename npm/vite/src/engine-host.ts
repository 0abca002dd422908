import { Engine } from "@lunora/native";
import type { EngineEvent, EngineOptions, HostAnswer } from "@lunora/native";
import { bundleDependencies } from "./bundle-dependencies.ts";
import { bundleWorker } from "./bundle-worker.ts";

/** The events that are not requests. */
export type EngineNotice = Exclude<EngineEvent, { request: number }>;

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

async function answer(
  event: Extract<EngineEvent, { request: number }>,
  onNotice: (notice: EngineNotice) => void,
): Promise<HostAnswer> {
  try {
    if (event.type === "bundle") return await bundleWorker(event);
    const { notices, ...bundled } = await bundleDependencies(event);
    for (const message of notices) onNotice({ type: "notice", message });
    return bundled;
  } catch (error) {
    return { error: describe(error) };
  }
}

/**
 * Starts the engine and does for it what only JavaScript can: bundling. Everything else it tells goes to
 * `onNotice`.
 */
export function startEngine(options: EngineOptions, onNotice: (notice: EngineNotice) => void): Promise<Engine> {
  const started: Promise<Engine> = Engine.start(options, (event) => {
    if ("request" in event) {
      // A request can arrive while `start` is still running, so its end is waited for.
      void Promise.all([started, answer(event, onNotice)]).then(([engine, result]) =>
        engine.respond(event.request, result),
      );
    } else {
      onNotice(event);
    }
  });
  return started;
}
