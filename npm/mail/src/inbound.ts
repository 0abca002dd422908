export { INBOUND_LIMITS } from "./inbound/bounded-parser.ts";
export type { InboundLimits } from "./inbound/bounded-parser.ts";
export { dispatchToLunoraFunction } from "./inbound/dispatch.ts";
export type { DispatchOptions, InboundArguments } from "./inbound/dispatch.ts";
export { createInboundEmailHandler } from "./inbound/handler.ts";
export type { EmailDispatch, InboundFailure, InboundOptions, InboundScope } from "./inbound/handler.ts";
export { parseInboundEmail } from "./inbound/parse-inbound-email.ts";
export type { Authentication, ParsedAddress, ParsedAttachment, ParsedEmail } from "./inbound/parsed-email.ts";
export type { RawMail } from "./inbound/read-raw.ts";
