/** How long after a change sockets' states are kept, milliseconds. */
export const SAVE_DELAY = 250;

/**
 * Makes what is to be called when nothing is under way and something has changed. It has that kept a while later, so that
 * what changes meanwhile shares one write, and only when nothing else is under way. The object does not fall asleep
 * while the timer runs.
 */
export function saveDelay(milliseconds: number, isIdle: () => boolean, save: () => void): () => void {
  let state: "resting" | "waiting" | "due" = "resting";
  const run = (): void => {
    state = "resting";
    save();
  };
  return () => {
    if (state === "due") return run();
    if (state === "waiting") return;
    state = "waiting";
    setTimeout(() => {
      state = "due";
      if (isIdle()) run();
    }, milliseconds);
  };
}
