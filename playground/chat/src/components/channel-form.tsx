import { useId, useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import { client } from "../client.js";
import { channelPath, navigate } from "../router.js";
import { ErrorNotice } from "./error-notice.js";

interface ChannelFormProps {
  readonly onCreated?: () => Promise<void>;
  readonly onCancel?: () => void;
}

/** Creates a channel and goes there. */
export function ChannelForm({ onCreated, onCancel }: ChannelFormProps): ReactElement {
  const id = useId();
  const [error, setError] = useState<unknown>();
  const [isPending, setIsPending] = useState(false);

  async function create(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isPending) return;
    const form = new FormData(event.currentTarget);
    setIsPending(true);
    setError(undefined);
    try {
      const name = await client.mutation(api.channels.create, {
        name: String(form.get("name")),
        topic: String(form.get("topic")).trim() || undefined,
      });
      await onCreated?.();
      navigate(channelPath(name));
    } catch (reason) {
      setError(reason);
    } finally {
      setIsPending(false);
    }
  }

  function cancelOnEscape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || onCancel === undefined) return;
    event.stopPropagation();
    onCancel();
  }

  return (
    <form className="channel-form" aria-label="New channel" onSubmit={create} onKeyDown={cancelOnEscape}>
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
      {error !== undefined && <ErrorNotice error={error} />}
      <label htmlFor={`${id}-topic`}>
        Topic <span className="hint">(optional)</span>
      </label>
      <input id={`${id}-topic`} name="topic" autoComplete="off" maxLength={120} />
      <div className="actions">
        <button type="submit" className="button primary" aria-disabled={isPending}>
          {isPending ? "Creating…" : "Create channel"}
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
