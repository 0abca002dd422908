import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

/** Something that is done only when somebody says yes. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly isDangerous?: boolean;
  done(): void;
}

export const question: Signal<Question | undefined> = signal(undefined);
export const isHelpOpen: Signal<boolean> = signal(false);
export const isMenuOpen: Signal<boolean> = signal(false);
