import type { KeyboardEvent } from "react";

/** Enter alone, and not the one that ends the composition of a character. */
export function isSubmitKey(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing;
}

/** Would a character typed here become text? */
export function isTypingPlace(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
