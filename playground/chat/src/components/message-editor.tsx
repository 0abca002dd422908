import { useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { isSubmitKey } from "../keys.js";

interface MessageEditorProps {
  readonly message: Doc<"messages">;
  readonly onSave: (body: string) => void;
  readonly onClose: () => void;
}

/** A message being changed: Enter saves, Escape leaves it as it was. */
export function MessageEditor({ message, onSave, onClose }: MessageEditorProps): ReactElement {
  const [body, setBody] = useState(message.body);

  function save(event: FormEvent | KeyboardEvent): void {
    event.preventDefault();
    if (body.trim() !== message.body) onSave(body);
    onClose();
  }

  return (
    <form className="editor" aria-label="Edit message" onSubmit={save}>
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
          else if (isSubmitKey(event)) save(event);
        }}
      />
      <div className="actions">
        <button type="submit" className="button small primary">
          Save
        </button>
        <button type="button" className="button small" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
