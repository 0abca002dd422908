import { useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { client } from "../client.js";
import { isSubmitKey } from "../keys.js";
import { ErrorNotice } from "./error-notice.js";

interface MessageEditorProps {
  readonly message: Doc<"messages">;
  readonly onSaved: () => Promise<void>;
  readonly onClose: () => void;
}

/** A message being changed: Enter saves, Escape leaves it as it was. */
export function MessageEditor({ message, onSaved, onClose }: MessageEditorProps): ReactElement {
  const [body, setBody] = useState(message.body);
  const [error, setError] = useState<unknown>();
  const [isPending, setIsPending] = useState(false);

  async function save(event: FormEvent | KeyboardEvent): Promise<void> {
    event.preventDefault();
    if (isPending) return;
    if (body.trim() === message.body) return onClose();
    setIsPending(true);
    setError(undefined);
    try {
      await client.mutation(api.messages.edit, { id: message._id, author: message.author, body });
      await onSaved();
      onClose();
    } catch (reason) {
      setError(reason);
      setIsPending(false);
    }
  }

  return (
    <form className="editor" aria-label="Edit message" onSubmit={(event) => void save(event)}>
      <textarea
        aria-label="Message text"
        rows={1}
        value={body}
        maxLength={4000}
        autoFocus
        onFocus={(event) => event.target.setSelectionRange(body.length, body.length)}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onClose();
          else if (isSubmitKey(event)) void save(event);
        }}
      />
      {error !== undefined && <ErrorNotice error={error} />}
      <div className="actions">
        <button type="submit" className="button small primary" aria-disabled={isPending}>
          {isPending ? "Saving…" : "Save"}
        </button>
        <button type="button" className="button small" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
