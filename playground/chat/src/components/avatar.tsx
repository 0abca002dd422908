import type { CSSProperties, ReactElement } from "react";

/** An initial in a colour that belongs to the name. The name itself is always written beside it. */
export function Avatar({ name }: { readonly name: string }): ReactElement {
  const [initial = "?"] = name;
  return (
    <span className="avatar" aria-hidden="true" style={{ "--hue": hueOf(name) } as CSSProperties}>
      {initial.toLocaleUpperCase()}
    </span>
  );
}

/** Turns by the golden angle, so that names that hardly differ get hues that do. */
function hueOf(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 10_007;
  return (hash * 137.5) % 360;
}
