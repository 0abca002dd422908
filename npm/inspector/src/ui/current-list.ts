import type { RefObject, TargetedKeyboardEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Movable {
  move(by: number): void;
}

interface Registered {
  readonly element: RefObject<HTMLElement | null>;
  readonly list: { current: Movable };
}

const lists: Registered[] = [];

/** Moves in the list that has the focus, or in the first of the page, which then gets it: what `j` and `k` do. */
export function moveInList(by: number): void {
  const there = lists.find(({ element }) => element.current === document.activeElement);
  const chosen = there ?? lists[0];
  if (chosen === undefined) return;
  chosen.element.current?.focus();
  chosen.list.current.move(there === undefined ? 0 : by);
}

/** Makes a list one that `j` and `k` reach. */
export function useAsCurrentList(element: RefObject<HTMLElement | null>, list: Movable): void {
  const held = useRef(list);
  held.current = list;
  useEffect(() => {
    const registered: Registered = { element, list: held };
    lists.push(registered);
    return () => void lists.splice(lists.indexOf(registered), 1);
  }, []);
}

interface Keys {
  readonly active: number;
  readonly page: number;
  readonly length: number;
  moveTo(index: number): void;
  open(index: number): void;
}

/** What keys do in a list. */
export function listKeys({
  active,
  page,
  length,
  moveTo,
  open,
}: Keys): (event: TargetedKeyboardEvent<HTMLElement>) => void {
  const targets: Readonly<Record<string, () => void>> = {
    ArrowDown: () => moveTo(active + 1),
    ArrowUp: () => moveTo(active - 1),
    PageDown: () => moveTo(active + page),
    PageUp: () => moveTo(active - page),
    Home: () => moveTo(0),
    End: () => moveTo(length - 1),
    Enter: () => open(active),
  };
  return (event) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = targets[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
}
