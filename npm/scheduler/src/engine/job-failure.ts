/** How a run failed. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
}

/** Characters of a message that are kept. */
const MESSAGE = 2_000;

export function keptMessage(message: string): string {
  return message.slice(0, MESSAGE);
}
