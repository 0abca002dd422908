import { LunoraClient } from "lunorash/client";
import { offline } from "lunorash/client/offline";
import { pageDeltas } from "lunorash/client/page-deltas";
import { registerOptimisticUpdates } from "./optimistic-updates.js";

/** The connection of this tab. Sends wait in it while the server is away, also through a reload. */
export const client = new LunoraClient({ url: location.origin, offline: offline(), pageDeltas });

registerOptimisticUpdates(client);
