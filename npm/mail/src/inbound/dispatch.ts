import type { FunctionReference } from "@lunora/protocol";
import type { InboundMessage, Jurisdiction } from "@lunora/server";

import { checkJurisdiction } from "../jurisdiction.ts";
import type { EmailDispatch } from "./handler.ts";
import type { ParsedAttachment, ParsedEmail } from "./parsed-email.ts";

/** What a function gets when nothing else is said: the envelope, and the mail without the bytes of its files. */
export interface InboundArguments {
  readonly envelope: { readonly from: string; readonly to: string };
  readonly email: Omit<ParsedEmail, "attachments"> & {
    readonly attachments: readonly (Omit<ParsedAttachment, "content"> & { readonly size: number })[];
  };
}

export interface DispatchOptions {
  /** `internal.inbox.receive`, or its path `inbox:receive`. */
  readonly functionPath: string | FunctionReference;
  /** Where the function's address does not say it already; `__root__` is the root. */
  readonly shardKey?: string;
  /** What the schema declares. Left out, the mail goes to an object outside every jurisdiction. */
  readonly jurisdiction?: Jurisdiction;
  /** The function's arguments; {@link InboundArguments} when left out. */
  readonly resolveArgs?: (email: ParsedEmail, message: InboundMessage) => object | Promise<object>;
}

/**
 * Hands inbound mails to a function of the app: an internal mutation or action, which no client can call. It runs as
 * nobody (`ctx.auth.userId` is `null`).
 *
 * @throws LunoraError `UNKNOWN_JURISDICTION` at once; a dispatch throws what the function failed with.
 */
export function dispatchToLunoraFunction(options: DispatchOptions): EmailDispatch {
  const { functionPath, shardKey, resolveArgs = defaultArguments } = options;
  const jurisdiction = checkJurisdiction(options.jurisdiction);
  const path = typeof functionPath === "string" ? functionPath : functionPath.path;
  return async (email, { message, system }) => {
    await system({
      functionPath: path,
      args: await resolveArgs(email, message),
      ...(shardKey === undefined ? {} : { shardKey }),
      ...(jurisdiction === undefined ? {} : { jurisdiction }),
    });
  };
}

function defaultArguments(email: ParsedEmail, { from, to }: InboundMessage): InboundArguments {
  const attachments = email.attachments.map(({ content, ...rest }) => ({ ...rest, size: content.byteLength }));
  return { envelope: { from, to }, email: { ...email, attachments } };
}
