import process from "node:process";

/** How long a timer may run; its only purpose is to keep the process alive, which signal handlers do not. */
const longestTimer = 2 ** 31 - 1;

/** Resolves with the exit code when the process is asked to end. `given` up, it no longer keeps the process alive. */
export function untilAskedToEnd(given?: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, longestTimer);
    given?.addEventListener("abort", () => clearInterval(alive), { once: true });
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve(code);
      });
    }
  });
}
