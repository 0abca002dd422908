import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Edit, Edited } from "../../api/rows.ts";
import { api } from "../../store/api.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { pretty } from "../../ui/pretty.ts";
import { useAct } from "../../ui/use-act.ts";

interface Props {
  readonly edit: Edit;
  readonly document: unknown;
  readonly onClose: () => void;
  readonly onDone: (edited: Edited) => void;
}

const TITLES: Readonly<Record<Edit["op"], string>> = {
  insert: "Insert a row",
  replace: "Replace the row",
  patch: "Change fields of the row",
  delete: "Delete the row",
};

/** Writes a row by an admin mutation: it is validated, triggers run, and it is in the op-log. */
export function EditDialog({ edit, document, onClose, onDone }: Props): JSX.Element {
  const [mistake, setMistake] = useState<string>();
  const act = useAct();
  const write = (text: string): void => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      setMistake(error instanceof Error ? error.message : String(error));
      return;
    }
    setMistake(undefined);
    act.run("The row was written", async () => {
      onDone(await api.inspect<Edited>("edit", { ...edit, document: parsed }));
      onClose();
    });
  };
  return (
    <Dialog title={`${TITLES[edit.op]} of ${edit.table}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          write(String(new FormData(event.currentTarget).get("document")));
        }}
      >
        <p class="hint">
          An admin mutation writes it: validated, triggers run, subscribers are poked, and it is in the op-log. It
          cannot be taken back.
        </p>
        <label for="document">Document, JSON</label>
        <textarea id="document" name="document" rows={12} spellcheck={false} defaultValue={pretty(document)} />
        {mistake !== undefined && (
          <p class="notice" role="alert">
            This is no JSON: {mistake}
          </p>
        )}
        {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
        <div class="actions">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            Write
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
