import { href } from "../logic/route.ts";
import { press } from "../logic/shortcuts.ts";
import type { Action, Pending } from "../logic/shortcuts.ts";
import { isHelpOpen } from "../store/dialogs.ts";
import { go } from "../store/location.ts";
import { nextTheme } from "../store/theme.ts";
import { togglePause } from "../store/timeline.ts";
import { moveInList } from "../ui/current-list.ts";

function act(action: Action): void {
  switch (action.kind) {
    case "go":
      return go(href(action.view));
    case "search":
      return document.querySelector<HTMLElement>("main .search")?.focus();
    case "help":
      isHelpOpen.value = true;
      return undefined;
    case "pause":
      return togglePause();
    case "theme":
      return nextTheme();
    case "next":
      return moveInList(1);
    case "previous":
      return moveInList(-1);
  }
}

const isWriting = (element: Element): boolean =>
  element.closest("input, textarea, select, dialog, [contenteditable]") !== null;
const isPressed = (element: Element): boolean => element.closest("button, a, summary") !== null;

/** Listens for shortcuts; ends with the function it gives. */
export function followKeys(): () => void {
  let pending: Pending | undefined;
  const onKey = (event: KeyboardEvent): void => {
    const target = event.target as Element;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && target instanceof HTMLElement && isWriting(target)) return target.blur();
    if (isWriting(target) || (event.key === " " && isPressed(target))) return undefined;
    const { action, pending: next } = press(event.key, Date.now(), pending);
    pending = next;
    if (action === undefined) return undefined;
    event.preventDefault();
    return act(action);
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
