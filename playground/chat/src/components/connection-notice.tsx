import { useConnectionStatus, usePendingCount } from "lunorash/react";
import type { ReactElement } from "react";

/** Says so when the server is out of reach, and what happens to what is written meanwhile. */
export function ConnectionNotice(): ReactElement {
  const isOffline = useConnectionStatus() === "offline";
  const waiting = usePendingCount();
  return (
    <div className="connection-notice" role="status">
      {isOffline && (
        <p>
          <strong>You are offline.</strong>{" "}
          {waiting === 0
            ? "What you write is kept and sent when the connection is back."
            : `${waiting === 1 ? "One change is" : `${waiting} changes are`} kept and sent when the connection is back.`}
        </p>
      )}
    </div>
  );
}
