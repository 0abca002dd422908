import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { client } from "../client.js";
import { fullTime } from "../times.js";
import { ErrorNotice } from "./error-notice.js";
import { MessageEditor } from "./message-editor.js";
import { MessageLine } from "./message-line.js";

interface MessageItemProps {
  readonly message: Doc<"messages">;
  readonly isMine: boolean;
  readonly isContinued: boolean;
  readonly onChanged: () => Promise<void>;
  readonly onRemoved: () => void;
}

type Mode = "reading" | "editing" | "confirming" | "removing";

/** A stored message. Its author can edit and delete it. */
export function MessageItem({ message, isMine, isContinued, onChanged, onRemoved }: MessageItemProps): ReactElement {
  const [mode, setMode] = useState<Mode>("reading");
  const [error, setError] = useState<unknown>();
  const wasBusy = useRef(false);

  function leave(): void {
    wasBusy.current = true;
    setMode("reading");
  }

  async function remove(): Promise<void> {
    setMode("removing");
    setError(undefined);
    try {
      await client.mutation(api.messages.remove, { id: message._id, author: message.author });
      await onChanged();
      onRemoved();
    } catch (reason) {
      setError(reason);
      leave();
    }
  }

  return (
    <MessageLine
      author={message.author}
      time={message._creationTime}
      isContinued={isContinued}
      isFaint={mode === "removing"}
    >
      {mode === "editing" ? (
        <MessageEditor message={message} onSaved={onChanged} onClose={leave} />
      ) : (
        <p className="body">
          {message.body}
          {message.editedAt !== undefined && (
            <span className="note" title={fullTime(message.editedAt)}>
              {" "}
              (edited)
            </span>
          )}
        </p>
      )}
      {error !== undefined && <ErrorNotice error={error} />}
      {isMine && mode === "reading" && (
        <div className="actions message-actions">
          <button type="button" className="button small" autoFocus={wasBusy.current} onClick={() => setMode("editing")}>
            Edit<span className="visually-hidden"> message: {message.body}</span>
          </button>
          <button type="button" className="button small" onClick={() => setMode("confirming")}>
            Delete<span className="visually-hidden"> message: {message.body}</span>
          </button>
        </div>
      )}
      {mode === "confirming" && (
        <div
          className="actions"
          role="group"
          aria-label="Delete this message?"
          onKeyDown={(event) => {
            if (event.key === "Escape") leave();
          }}
        >
          <span className="note">Delete this message?</span>
          <button type="button" className="button small danger" autoFocus onClick={() => void remove()}>
            Yes, delete
          </button>
          <button type="button" className="button small" onClick={leave}>
            Keep it
          </button>
        </div>
      )}
      {mode === "removing" && (
        <p className="note" role="status">
          Deleting…
        </p>
      )}
    </MessageLine>
  );
}
