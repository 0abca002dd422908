import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icon.tsx";
import type { IconName } from "./icon.tsx";

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

interface Props {
  readonly tone?: Tone;
  readonly icon?: IconName;
  readonly title?: string;
  readonly children: ComponentChildren;
}

/** A state: a word, with a picture where it matters; its colour says nothing that they do not. */
export function Badge({ tone = "plain", icon, title, children }: Props): JSX.Element {
  return (
    <span class="badge" data-tone={tone} title={title}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </span>
  );
}
