import type { ConnectionStatus } from "lunorash/client";
import { useConnectionStatus } from "lunorash/react";
import type { ReactElement } from "react";

const texts: Record<ConnectionStatus, string> = {
  idle: "Not connected",
  connecting: "Connecting…",
  connected: "Live",
  offline: "Offline",
};

/** Whether what is on screen is what is in the database. */
export function ConnectionState(): ReactElement {
  const status = useConnectionStatus();
  return (
    <p className="connection-state" data-status={status}>
      <span className="visually-hidden">Connection: </span>
      {texts[status]}
    </p>
  );
}
