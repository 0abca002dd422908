// A document for React to render into, in plain Node: only what react-dom looks for becomes global.
import { Window } from "happy-dom";
import type { ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";

const window = new Window({ url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });

/** Something rendered. */
export interface Rendered {
  readonly container: HTMLElement;
  /** What is on screen. */
  readonly text: () => string;
  readonly unmount: () => void;
}

const mounted = new Set<() => void>();

/** Renders into a container of its own. */
export function render(node: ReactNode): Rendered {
  const container = newContainer();
  // An error that a boundary catches is what a test is about, not news.
  const root = createRoot(container, { onCaughtError: () => {} });
  flushSync(() => root.render(node));
  return keep(container, root);
}

/** Takes over what a server rendered. `onError` is told of what did not match. */
export function hydrate(html: string, node: ReactNode, onError: (error: unknown) => void): Rendered {
  const container = newContainer();
  container.innerHTML = html;
  return keep(container, hydrateRoot(container, node, { onRecoverableError: onError }));
}

/** Removes what tests left behind. */
export function unmountAll(): void {
  for (const unmount of mounted) unmount();
}

/** Waits until the condition holds; polls, because the other side is another process. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (let round = 0; round < 3000; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain until ${what}`);
}

function newContainer(): HTMLElement {
  const container = document.createElement("div");
  document.body.append(container);
  return container;
}

function keep(container: HTMLElement, root: { unmount(): void }): Rendered {
  const unmount = (): void => {
    if (!mounted.delete(unmount)) return;
    flushSync(() => root.unmount());
    container.remove();
  };
  mounted.add(unmount);
  return { container, text: () => container.textContent ?? "", unmount };
}
