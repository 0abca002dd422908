import { useMutation } from "lunorash/react";
import { useId } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import { channelPath, navigate } from "../router.js";
import { ErrorNotice } from "./error-notice.js";

interface ChannelFormProps {
  readonly onCreated?: () => void;
  readonly onCancel?: () => void;
}

/** Creates a channel and goes there. */
export function ChannelForm({ onCreated, onCancel }: ChannelFormProps): ReactElement {
  const id = useId();
  const create = useMutation(api.channels.create);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (create.pending) return;
    const form = new FormData(event.currentTarget);
    create({ name: String(form.get("name")), topic: String(form.get("topic")).trim() || undefined }).then(
      (name) => {
        onCreated?.();
        navigate(channelPath(name));
      },
      () => {
        // Shown below, as `create.error`.
      },
    );
  }

  function cancelOnEscape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || onCancel === undefined) return;
    event.stopPropagation();
    onCancel();
  }

  return (
    <form className="channel-form" aria-label="New channel" onSubmit={submit} onKeyDown={cancelOnEscape}>
      <label htmlFor={`${id}-name`}>Name</label>
      <input
        id={`${id}-name`}
        name="name"
        autoFocus={onCancel !== undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        placeholder="garden-plans"
        aria-describedby={`${id}-hint`}
        required
      />
      <p className="hint" id={`${id}-hint`}>
        Lower-case letters, digits and hyphens.
      </p>
      {create.error !== undefined && <ErrorNotice error={create.error} />}
      <label htmlFor={`${id}-topic`}>
        Topic <span className="hint">(optional)</span>
      </label>
      <input id={`${id}-topic`} name="topic" autoComplete="off" maxLength={120} />
      <div className="actions">
        <button type="submit" className="button primary" aria-disabled={create.pending}>
          {create.pending ? "Creating…" : "Create channel"}
        </button>
        {onCancel !== undefined && (
          <button type="button" className="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
