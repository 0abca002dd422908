import type { Environment } from "./context.ts";
import type { ExecutionLifetime, LunoraDefinition } from "./definition.ts";
import type { Jurisdiction } from "./jurisdiction.ts";

/** A mail that reached the Worker, as the platform hands it over. */
export interface InboundMessage {
  /** Of the envelope: whom bounces go to. */
  readonly from: string;
  /** Of the envelope: whom this copy is for. */
  readonly to: string;
  readonly raw: ReadableStream<Uint8Array>;
  /** Bytes. */
  readonly rawSize: number;
  readonly headers: Headers;
  /** Refuses the mail for good; the sender is told the reason. */
  setReject(reason: string): void | Promise<void>;
  forward(recipient: string, headers?: Headers): Promise<unknown>;
  reply(message: object): Promise<unknown>;
}

/** A call of a function by the app itself, in nobody's name. */
export interface SystemCall {
  /** `file:export`; internal functions too. */
  readonly functionPath: string;
  readonly args: object;
  /** Where the function's address does not say it already. */
  readonly shardKey?: string;
  /** Of the objects that are reached; left out, those outside every jurisdiction, whatever the schema declares. */
  readonly jurisdiction?: Jurisdiction;
}

/** Takes the mails that the platform routes to the Worker. `definition` is the worker's own: functions are called by it. */
export type EmailHandler = (
  message: InboundMessage,
  env: Environment,
  context: ExecutionLifetime,
  definition: LunoraDefinition,
) => void | Promise<void>;
