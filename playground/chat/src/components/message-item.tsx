import { useMutation } from "lunorash/react";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import type { ShownMessage } from "../optimistic-updates.js";
import { isTold } from "../refusals.js";
import { fullTime } from "../times.js";
import { MessageEditor } from "./message-editor.js";
import { MessageLine } from "./message-line.js";

interface MessageItemProps {
  readonly message: ShownMessage;
  readonly isMine: boolean;
  readonly isContinued: boolean;
  readonly onRemoved: () => void;
}

type Mode = "reading" | "editing" | "confirming";

/** A message, stored or on its way. Its author can edit and delete it once it is stored. */
export function MessageItem({ message, isMine, isContinued, onRemoved }: MessageItemProps): ReactElement {
  const [mode, setMode] = useState<Mode>("reading");
  const edit = useMutation(api.messages.edit);
  const remove = useMutation(api.messages.remove);
  const wasBusy = useRef(false);
  const { pending } = message;

  function leave(): void {
    wasBusy.current = true;
    setMode("reading");
  }

  return (
    <MessageLine
      author={message.author}
      time={message._creationTime}
      isContinued={isContinued}
      isFaint={pending !== undefined}
      id={message._id}
    >
      {mode === "editing" ? (
        <MessageEditor
          message={message}
          onSave={(body) => void edit({ id: message._id, author: message.author, body }).catch(isTold)}
          onClose={leave}
        />
      ) : (
        <p className="body">
          {message.body}
          {pending !== undefined && <span className="note"> {pending === "message" ? "Sending…" : "Saving…"}</span>}
          {pending === undefined && message.editedAt !== undefined && (
            <span className="note" title={fullTime(message.editedAt)}>
              {" "}
              (edited)
            </span>
          )}
        </p>
      )}
      {isMine && pending !== "message" && mode === "reading" && (
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
          <button
            type="button"
            className="button small danger"
            autoFocus
            onClick={() => {
              void remove({ id: message._id, author: message.author }).catch(isTold);
              onRemoved();
            }}
          >
            Yes, delete
          </button>
          <button type="button" className="button small" onClick={leave}>
            Keep it
          </button>
        </div>
      )}
    </MessageLine>
  );
}
