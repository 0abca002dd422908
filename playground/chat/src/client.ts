import { LunoraClient } from "lunorash/client";
import { registerOptimisticUpdates } from "./optimistic-updates.js";

/** The connection of this tab. Sends wait in it while the server is away, also through a reload. */
export const client = new LunoraClient({ url: location.origin });

registerOptimisticUpdates(client);
