import type { PresenceReference } from "@lunora/protocol";
import type { AnyValidator, Infer, InferInput } from "@lunora/values";

import type { Environment, Identity } from "./context.ts";
import { schemaError } from "./schema-error.ts";

/** What the rule of a kind of room is asked. */
export interface PresenceQuestion {
  readonly identity: Identity | null;
  /** As the page names it. */
  readonly room: string;
  readonly env: Environment;
}

/** What a kind of room is declared with. */
export interface PresenceOptions<Data extends AnyValidator> {
  /** What members say of themselves: at most 4,096 bytes. */
  readonly data: Data;
  /** May this caller be in this room? Nobody may where it is left out. */
  readonly authorize?: (question: PresenceQuestion) => boolean | Promise<boolean>;
}

/** A kind of room, as its registration holds it. */
export interface RegisteredPresence<Data extends AnyValidator = AnyValidator> extends PresenceOptions<Data> {
  readonly kind: "presence";
}

/** The reference that a page sees. */
export type PresenceReferenceOf<Registered> =
  Registered extends RegisteredPresence<infer Data> ? PresenceReference<Infer<Data>, InferInput<Data>> : never;

/**
 * Declares a kind of room: who is there, and what they say of themselves, is told to everybody who
 * is. Throws `SCHEMA_INVALID` when what was given can be none.
 */
export function definePresence<Data extends AnyValidator>({
  data,
  authorize,
}: PresenceOptions<Data>): RegisteredPresence<Data> {
  if (typeof (data as Partial<AnyValidator> | undefined)?.safeParse !== "function") {
    throw schemaError(
      "`data` of `definePresence` is no validator",
      "Say what members tell of themselves, for example `data: v.object({ name: v.string() })`.",
    );
  }
  if (authorize !== undefined && typeof authorize !== "function") {
    throw schemaError(
      "`authorize` of `definePresence` is no function",
      "Write `authorize: ({ identity, room }) => …`, which answers whether the caller may be in the room.",
    );
  }
  return { kind: "presence", data, ...(authorize === undefined ? {} : { authorize }) };
}

/** Whether an export is a kind of room. */
export function isRegisteredPresence(value: unknown): value is RegisteredPresence {
  return typeof value === "object" && value !== null && (value as Partial<RegisteredPresence>).kind === "presence";
}
