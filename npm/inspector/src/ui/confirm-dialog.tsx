import type { JSX } from "preact";
import { question } from "../store/dialogs.ts";
import { Dialog } from "./dialog.tsx";

const close = (): void => void (question.value = undefined);

/** Asks before something is done that cannot be taken back. */
export function ConfirmDialog(): JSX.Element | null {
  const asked = question.value;
  if (asked === undefined) return null;
  return (
    <Dialog title={asked.title} onClose={close}>
      <p>{asked.text}</p>
      <div class="actions">
        <button
          type="button"
          class={asked.isDangerous === true ? "button danger" : "button primary"}
          onClick={() => {
            close();
            asked.done();
          }}
        >
          {asked.yes}
        </button>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
