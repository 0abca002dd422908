import type { ComponentChildren, JSX } from "preact";
import { Code } from "./code.tsx";

interface Props {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** What to write to have something here. */
  readonly code?: string;
  readonly file?: string;
}

/** Nothing yet: why, and the code that changes it. */
export function Empty({ title, children, code, file }: Props): JSX.Element {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {code !== undefined && <Code text={code} label={file ?? "Example"} />}
    </div>
  );
}
