import { useSyncExternalStore } from "react";

const KEY = "lunora-chat:author";
const listeners = new Set<() => void>();

/** This tab's name where nothing may be stored. */
let author = stored() ?? `Guest ${100 + Math.floor(Math.random() * 900)}`;
store(author);

addEventListener("storage", (event) => {
  if (event.key === KEY && event.newValue) change(event.newValue);
});

/** Who writes here, and how to become someone else. Kept in the browser. */
export function useAuthor(): readonly [author: string, setAuthor: (name: string) => void] {
  return [useSyncExternalStore(subscribe, () => author), setAuthor];
}

function setAuthor(name: string): void {
  store(name);
  change(name);
}

function change(name: string): void {
  author = name;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Browsers may forbid storage; the name then lasts as long as the tab.
    return null;
  }
}

function store(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // As above: nothing is lost but the memory of it.
  }
}
