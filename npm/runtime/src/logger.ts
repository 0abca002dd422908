import type { Logger } from "@lunora/server";

/** `ctx.log` of a function: the platform's console, with the function's path in front. */
export function loggerOf(functionPath: string): Logger {
  const prefix = `[${functionPath}]`;
  return {
    log: (...values) => console.log(prefix, ...values),
    info: (...values) => console.info(prefix, ...values),
    warn: (...values) => console.warn(prefix, ...values),
    error: (...values) => console.error(prefix, ...values),
    debug: (...values) => console.debug(prefix, ...values),
  };
}
