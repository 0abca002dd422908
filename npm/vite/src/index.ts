/**
 * The Vite plugin: in `vite dev` it watches the schema and the functions, regenerates types and runs the
 * worker in workerd; in `vite build` it builds the worker beside the client. Pages get of mutators what they run.
 */
import type { Plugin } from "vite";
import { buildPlugin } from "./build-plugin.ts";
import { devPlugin } from "./dev-plugin.ts";
import { mutatorsPlugin } from "./mutators-plugin.ts";
import type { LunoraOptions } from "./options.ts";

export type { LunoraOptions } from "./options.ts";
export { startEngine } from "./engine-host.ts";
export type { EngineNotice } from "./engine-host.ts";
export { runDeployCommand } from "./deploy-command.ts";
export type { DeployCommand } from "./deploy-command.ts";
export { runResidencyCommand } from "./residency-command.ts";
export type { ResidencyCommand, ServerResidency } from "./residency-command.ts";
export { runStartCommand } from "./start-command.ts";
export type { StartCommand } from "./start-command.ts";
export { runDevCommand } from "./dev-command.ts";
export type { DevCommand } from "./dev-command.ts";

/** The plugins of `lunora()`, for `plugins` in `vite.config.ts`. */
export function lunora(options: LunoraOptions = {}): Plugin[] {
  return [devPlugin(options), buildPlugin(options), mutatorsPlugin(options)];
}

export default lunora;
