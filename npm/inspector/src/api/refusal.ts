/** An answer that was no: the code and text the server gave, or why there was none. */
export class Refusal extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly status: number;

  constructor(code: string, message: string, status: number, hint?: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
    this.hint = hint;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** What a body that is no success says; bodies of the worker and of the inspector have the same form. */
export function refusalOf(status: number, body: unknown): Refusal {
  const error = (body as { error?: Record<string, unknown> } | undefined)?.error;
  const code = textOf(error?.["code"]) ?? `HTTP_${status}`;
  const message = textOf(error?.["message"]) ?? `The server answered with status ${status}.`;
  return new Refusal(code, message, status, textOf(error?.["hint"]) ?? textOf(error?.["help"]));
}
