import type { ReactElement } from "react";
import { discardRefusal } from "../refusals.js";
import type { Refusal } from "../refusals.js";
import { ErrorNotice } from "./error-notice.js";

interface RefusedItemProps {
  readonly refusal: Refusal;
  /** Where the focus goes when the notice, and the button that had it, are gone. */
  readonly onLeft: () => void;
}

/** What the server did not accept, kept until it is tried again or discarded. */
export function RefusedItem({ refusal, onLeft }: RefusedItemProps): ReactElement {
  function leave(): void {
    discardRefusal(refusal.key);
    onLeft();
  }
  return (
    <li className="refused">
      {refusal.body !== undefined && <p className="body">{refusal.body}</p>}
      <ErrorNotice
        error={refusal.error}
        onRetry={() => {
          refusal.retry();
          leave();
        }}
      >
        <button type="button" className="button" onClick={leave}>
          Discard
        </button>
      </ErrorNotice>
    </li>
  );
}
