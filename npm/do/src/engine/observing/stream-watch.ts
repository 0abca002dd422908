import { isLunoraError } from "@lunora/errors";

import type { OpenedStream } from "../streams/stream-host.ts";

/**
 * A stream of which every step runs `within` the call that it is, and whose end is told once: `ok`, also when its readers
 * have left, or the code of the error.
 */
export async function observedStream(
  open: () => Promise<OpenedStream>,
  within: <Result>(run: () => Result) => Result,
  tell: (outcome: string) => void,
): Promise<OpenedStream> {
  let isOver = false;
  const over = (outcome: string): void => {
    if (!isOver) tell(outcome);
    isOver = true;
  };
  const failed = (error: unknown): never => {
    over(isLunoraError(error) ? error.code : "INTERNAL");
    throw error;
  };
  const { iterable, close } = await within(open).catch(failed);
  return {
    iterable: {
      [Symbol.asyncIterator]() {
        const steps = within(() => iterable[Symbol.asyncIterator]());
        return {
          async next() {
            const step = await within(async () => steps.next()).catch(failed);
            if (step.done === true) over("ok");
            return step;
          },
          async return(value: unknown) {
            over("ok");
            return (await within(() => steps.return?.(value))) ?? { done: true, value };
          },
        };
      },
    },
    close() {
      close();
      over("ok");
    },
  };
}
