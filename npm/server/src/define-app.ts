import type { AppOptions } from "./definition.ts";

/** Options of the whole app, the default export of `lunora/app.ts`. */
export function defineApp(options: AppOptions): AppOptions {
  return options;
}
