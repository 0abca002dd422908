import type { ReactElement } from "react";
import type { Outgoing } from "../use-outbox.js";
import { ErrorNotice } from "./error-notice.js";
import { MessageLine } from "./message-line.js";

interface OutgoingItemProps {
  readonly item: Outgoing;
  readonly onRetry: () => void;
  readonly onDiscard: () => void;
}

/** A message on its way. It looks sent only once the server said so. */
export function OutgoingItem({ item, onRetry, onDiscard }: OutgoingItemProps): ReactElement {
  const hasFailed = item.error !== undefined;
  return (
    <MessageLine author={item.author} time={item.time} isContinued={false} isFaint={!hasFailed}>
      <p className="body">{item.body}</p>
      {hasFailed ? (
        <ErrorNotice error={item.error} onRetry={onRetry}>
          <button type="button" className="button" onClick={onDiscard}>
            Discard
          </button>
        </ErrorNotice>
      ) : (
        <p className="note">{item.id === undefined ? "Sending…" : "Sent"}</p>
      )}
    </MessageLine>
  );
}
