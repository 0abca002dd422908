import { LunoraError } from "@lunora/errors";

/** What it does when the time is over has to be done before the promise settles. */
export async function withDeadline<Result>(
  run: () => Promise<Result>,
  milliseconds: number,
  onTimeout: () => void,
  what: string,
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onTimeout();
      reject(
        new LunoraError("MUTATION_TIMEOUT", `${what} did not settle within ${milliseconds} ms and was rolled back`),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([run(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
