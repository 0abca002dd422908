import process from "node:process";
import { ToolchainError } from "@lunora/native";

/** How `lunora dev --chaos` reaches the plugin of the app's own Vite configuration. */
export const chaosVariable = "LUNORA_CHAOS";

function refuse(what: string): never {
  const message = `${what} is no seed of chaos.`;
  const help = `A seed is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`;
  throw new ToolchainError({ code: "BAD_REQUEST", message, help, rendered: `${message}\n${help}` });
}

/**
 * The seed that development plays: what the command line asked for, else the plugin's option; `undefined` for none.
 * Throws `BAD_REQUEST` for what is no seed.
 */
export function chaosSeed(
  option: number | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number | undefined {
  const text = environment[chaosVariable];
  if (text !== undefined && text !== "") {
    const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(seed) ? seed : refuse(`\`${text}\` of ${chaosVariable}`);
  }
  if (option === undefined) return undefined;
  return Number.isSafeInteger(option) && option >= 0 ? option : refuse(`\`${option}\` of the option \`chaos\``);
}

/** What a terminal says when chaos begins or ends. */
export function chaosLine(seed: number | null): string {
  return seed === null
    ? "[lunora] chaos has ended"
    : `[lunora] chaos with seed ${seed}: \`lunora dev --chaos ${seed}\` plays it again`;
}
