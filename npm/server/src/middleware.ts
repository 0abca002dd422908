import type { MiddlewareResult } from "./definition.ts";
import type { Untyped } from "./untyped.ts";

/** Goes on to the next middleware, or to the handler, with what is added to `ctx`. */
export interface Next {
  (): Promise<MiddlewareResult<{}>>;
  <const Added extends object>(options: { readonly ctx: Added }): Promise<MiddlewareResult<Added>>;
}

/** What a middleware gets. */
export interface MiddlewareOptions<Ctx, Args = Untyped> {
  readonly ctx: Ctx;
  /** Validated. */
  readonly args: Args;
  readonly next: Next;
}

/**
 * Runs around a handler. Refuses by throwing, otherwise returns what `next` resolved to:
 * `({ ctx, next }) => next({ ctx: { user } })` adds `user` to `ctx` for everything that follows.
 */
export type Middleware<Ctx, Added extends object = {}, Args = Untyped> = (
  options: MiddlewareOptions<Ctx, Args>,
) => Promise<MiddlewareResult<Added>>;

/** `ctx` after a middleware: what it adds replaces what has the same name. */
export type ExtendCtx<Ctx, Added> = [keyof Added] extends [never] ? Ctx : Omit<Ctx, keyof Added> & Readonly<Added>;
