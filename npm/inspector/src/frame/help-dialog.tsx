import type { JSX } from "preact";
import { VIEWS } from "../logic/route.ts";
import { isHelpOpen } from "../store/dialogs.ts";
import { Dialog } from "../ui/dialog.tsx";

const KEYS: readonly (readonly [string, string])[] = [
  ["?", "This list"],
  ["/", "Search in the view"],
  ["j k", "Next and previous in a list; arrows, Home and End too"],
  ["Enter", "Open what is marked"],
  ["Space", "Pause what is live, and go on"],
  ["t", "Theme: system, light, dark"],
  ["Esc", "Leave a field or a window"],
];

const close = (): void => void (isHelpOpen.value = false);

/** What keys do. */
export function HelpDialog(): JSX.Element {
  return (
    <Dialog title="Keyboard" onClose={close}>
      <dl class="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
        {VIEWS.map((view) => (
          <div key={view.name}>
            <dt>
              <kbd>g</kbd> <kbd>{view.letter}</kbd>
            </dt>
            <dd>{view.title}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
