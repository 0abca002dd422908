import { LunoraError } from "@lunora/errors";
import { parseFields } from "@lunora/values";

import type { MiddlewareResult, RegisteredFunction } from "./definition.ts";

/** What a call brings. */
export interface Invocation {
  /** Copied where something is added to it, so it has to be a plain object. */
  readonly ctx: object;
  /** Decoded; `undefined` stands for no arguments. */
  readonly args: unknown;
  /** Of streams. */
  readonly signal?: AbortSignal;
}

const KINDS: ReadonlySet<unknown> = new Set(["query", "mutation", "action", "stream"]);

/** Whether an export is a function that a builder made. */
export function isRegisteredFunction(value: unknown): value is RegisteredFunction {
  if (typeof value !== "object" || value === null) return false;
  const { kind, handler, middleware } = value as Partial<RegisteredFunction>;
  return KINDS.has(kind) && typeof handler === "function" && Array.isArray(middleware);
}

/**
 * Runs a function: arguments validated, middleware around the handler, result validated. Throws
 * `VALIDATION_ERROR` for the arguments; a result that its own `.output` refuses is `INTERNAL`. What a
 * stream returns is its generator, which has not begun: middleware is around its making.
 */
export async function invoke(registered: RegisteredFunction, { ctx, args, signal }: Invocation): Promise<unknown> {
  const parsed = parseFields(registered.input, args ?? {});
  const value = await run(registered, 0, { ...ctx, meta: registered.meta }, parsed, signal);
  return registered.output === undefined || registered.kind === "stream" ? value : checkOutput(registered, value);
}

async function run(
  registered: RegisteredFunction,
  position: number,
  ctx: object,
  args: object,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const middleware = registered.middleware[position];
  if (middleware === undefined) return registered.handler({ ctx, args, ...(signal === undefined ? {} : { signal }) });
  let passed: MiddlewareResult | undefined;
  let isCalled = false;
  const returned = await middleware({
    ctx,
    args,
    next: async (options) => {
      // The handler has one result and, in a mutation, one effect.
      if (isCalled) throw new LunoraError("INTERNAL", "A middleware called `next` twice");
      isCalled = true;
      const value = await run(registered, position + 1, { ...ctx, ...options?.ctx }, args, signal);
      return (passed = { value });
    },
  });
  if (passed === undefined || returned !== passed) {
    throw new LunoraError("INTERNAL", "A middleware returned something else than what its `next` resolved to");
  }
  return passed.value;
}

function checkOutput({ output }: RegisteredFunction, value: unknown): unknown {
  const result = output?.safeParse(value);
  if (result === undefined) return value;
  if (result.ok) return result.value;
  throw new LunoraError("INTERNAL", `A function returned what its \`.output\` refuses: ${result.error.message}`, {
    cause: result.error,
  });
}
