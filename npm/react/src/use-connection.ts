import type { ConnectionStatus } from "@lunora/client";

import { useLunora } from "./context.ts";
import { useStore } from "./use-store.ts";

/** Whether the client reaches its shards: `idle`, `connecting`, `connected` or `offline`. */
export function useConnectionStatus(): ConnectionStatus {
  return useStore<ConnectionStatus>(useLunora().connectionStatus, "idle");
}

/** How many mutations the server has not decided yet, those of earlier pages included. */
export function usePendingCount(): number {
  return useStore(useLunora().pendingCount, 0);
}
