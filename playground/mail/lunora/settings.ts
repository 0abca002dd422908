import { LunoraError } from "lunorash/errors";
import type { Environment } from "lunorash/server";

/** A variable that the app cannot do without. */
export function setting(env: Environment, name: string): string {
  const value = env[name];
  if (typeof value === "string" && value !== "") return value;
  throw new LunoraError("NOT_CONFIGURED", `\`${name}\` is not set.`, { status: 500 });
}
