// Watches a list of messages at every change and every painted frame.
import type { Page } from "playwright-core";

/** One message at one moment: its text, and a number for its element. */
export interface SeenMessage {
  readonly text: string;
  readonly element: number;
}

declare global {
  interface Window {
    recordedMoments?: SeenMessage[][];
  }
}

/** Starts recording; what it returns ends that and gives every moment that differed from the one before. */
export async function recordMessages(page: Page): Promise<() => Promise<SeenMessage[][]>> {
  await page.evaluate(() => {
    const moments: SeenMessage[][] = [];
    window.recordedMoments = moments;
    const numbers = new WeakMap<Element, number>();
    let elements = 0;
    let last = "";
    const look = (): void => {
      if (window.recordedMoments === undefined) return;
      const moment = [...document.querySelectorAll(".messages .message")].map((element) => {
        const number = numbers.get(element) ?? ++elements;
        numbers.set(element, number);
        const body = element.querySelector(".body");
        const text = [...(body?.childNodes ?? [])].find((node) => node.nodeType === Node.TEXT_NODE)?.textContent ?? "";
        return { text, element: number };
      });
      const now = JSON.stringify(moment);
      if (now !== last) moments.push(moment);
      last = now;
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    const frame = (): void => {
      look();
      if (window.recordedMoments !== undefined) requestAnimationFrame(frame);
    };
    frame();
  });
  return () =>
    page.evaluate(() => {
      const moments = window.recordedMoments ?? [];
      delete window.recordedMoments;
      return moments;
    });
}
