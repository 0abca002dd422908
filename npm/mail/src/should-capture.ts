import type { Environment } from "@lunora/server";

import { warnOnce } from "./warn-once.ts";

const SETTING = "LUNORA_MAIL_CAPTURE";
const STAGES = ["CF_ENV", "ENVIRONMENT", "NODE_ENV", "WORKER_ENV"];
const DEVELOPMENT = new Set(["dev", "development", "local", "localhost", "test"]);

/**
 * Whether mails go to the development inbox instead of to people. `LUNORA_MAIL_CAPTURE` decides where it is set; else
 * one of the usual variables has to name development. A binding that is missing decides nothing: production without a
 * provider is an error, not a silent inbox.
 */
export function shouldCaptureMail(env: Environment): boolean {
  const setting = textOf(env[SETTING]);
  if (setting === "1" || setting === "true") return true;
  if (setting === "0" || setting === "false") return false;
  if (setting !== undefined)
    warnOnce(`\`${SETTING}\` is neither \`1\` nor \`true\` nor \`0\` nor \`false\`: it counts for nothing`);
  return STAGES.some((name) => DEVELOPMENT.has(textOf(env[name]) ?? ""));
}

/** A variable as it is meant; a JSON binding may hold a boolean or a number. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return String(value).trim().toLowerCase();
}
