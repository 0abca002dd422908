import { systemCall } from "@lunora/runtime";
import type { EmailHandler, Environment, ExecutionLifetime, InboundMessage, SystemCall } from "@lunora/server";

import type { ParsedEmail } from "./parsed-email.ts";

/** The reason that senders are told, the same for everything: it says nothing about the app. */
const REASON = "The message was not accepted.";

/** Where a mail is while it is being handled. */
export interface InboundScope {
  readonly message: InboundMessage;
  readonly env: Environment;
  readonly context: ExecutionLifetime;
  /**
   * Calls a function as nobody, past `authorizeShard`; a mutation happens once.
   *
   * @returns its result
   * @throws LunoraError what the call failed with
   */
  system(call: SystemCall): Promise<unknown>;
}

/** Takes a mail that was read and let through. Throws when it could not. */
export type EmailDispatch = (email: ParsedEmail, scope: InboundScope) => void | Promise<void>;

/** What went wrong with a mail, and when. */
export interface InboundFailure extends InboundScope {
  readonly stage: "parse" | "verify" | "dispatch";
  /** `undefined` when `verify` said no. */
  readonly error: unknown;
  /** Absent when it could not be read. */
  readonly email?: ParsedEmail;
}

export interface InboundOptions {
  /** `parseInboundEmail`, or one of the app's own. */
  readonly parse: (raw: ReadableStream<Uint8Array>) => ParsedEmail | Promise<ParsedEmail>;
  /** Lets a mail through with `true` or nothing; anything else, and an error, keeps it out. */
  readonly verify?: (email: ParsedEmail, scope: InboundScope) => unknown;
  /** `dispatchToLunoraFunction(…)`, or one of the app's own. */
  readonly dispatch: EmailDispatch;
  /**
   * Told what went wrong. Before the dispatch it decides what becomes of the mail, which is rejected without it; when
   * the dispatch failed it only learns of it.
   */
  readonly onError?: (failure: InboundFailure) => void | Promise<void>;
  /**
   * Keeps a mail whose dispatch failed: it is accepted, and trying again is the app's business. Without it the mail is
   * rejected, for good: the platform has no "later".
   */
  readonly retain?: (email: ParsedEmail, scope: InboundScope & { readonly error: unknown }) => void | Promise<void>;
}

/**
 * The `email` of `defineApp`: read, verify, dispatch. Throws nothing of the app's, and a sender learns nothing but that a
 * mail was not accepted.
 */
export function createInboundEmailHandler({ parse, verify, dispatch, onError, retain }: InboundOptions): EmailHandler {
  /** Before the dispatch: the app's `onError` decides, and where there is none or it fails, the mail is refused. */
  async function refuse(failure: InboundFailure): Promise<void> {
    if (onError === undefined) {
      report(failure);
      return reject(failure);
    }
    try {
      await onError(failure);
    } catch (error) {
      report({ ...failure, error });
      await reject(failure);
    }
  }

  async function failed(failure: InboundFailure & { readonly email: ParsedEmail }): Promise<void> {
    report(failure);
    try {
      await onError?.(failure);
    } catch (error) {
      report({ ...failure, error });
    }
    if (retain === undefined) return reject(failure);
    try {
      await retain(failure.email, failure);
    } catch (error) {
      report({ ...failure, error });
      await reject(failure);
    }
  }

  return async (message, env, context, definition) => {
    const system: InboundScope["system"] = (call) => systemCall(definition, env, call);
    const scope = { message, env, context, system };
    let email: ParsedEmail;
    try {
      email = await parse(message.raw);
    } catch (error) {
      return refuse({ ...scope, stage: "parse", error });
    }
    let verdict: unknown;
    try {
      verdict = await verify?.(email, scope);
    } catch (error) {
      return refuse({ ...scope, stage: "verify", error, email });
    }
    if (verdict !== undefined && verdict !== true)
      return refuse({ ...scope, stage: "verify", error: undefined, email });
    try {
      await dispatch(email, scope);
    } catch (error) {
      await failed({ ...scope, stage: "dispatch", error, email });
    }
  };
}

async function reject({ message }: InboundScope): Promise<void> {
  await message.setReject(REASON);
}

/** For the server's log: no word of the mail itself. */
function report({ stage, error }: InboundFailure): void {
  if (error === undefined) console.warn("[lunora] an inbound mail was kept out by `verify`");
  else console.error(`[lunora] an inbound mail failed in \`${stage}\``, error);
}
