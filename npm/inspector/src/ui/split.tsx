import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icon.tsx";

interface Props {
  readonly children: ComponentChildren;
  readonly detail: ComponentChildren | undefined;
  readonly title: string;
  readonly onClose: () => void;
}

/** A list, and beside it what was chosen; over it where the page is narrow. */
export function Split({ children, detail, title, onClose }: Props): JSX.Element {
  return (
    <div class="split" data-open={detail !== undefined}>
      <div class="split-list">{children}</div>
      {detail !== undefined && (
        <aside class="split-detail" aria-label={title}>
          <div class="split-head">
            <h2>{title}</h2>
            <button type="button" class="button small" onClick={onClose}>
              <Icon name="close" /> Close
            </button>
          </div>
          {detail}
        </aside>
      )}
    </div>
  );
}
