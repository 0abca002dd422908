export { STATUS_BY_CODE } from "./codes.ts";
export { fromErrorBody, shortErrorBody, toErrorBody } from "./error-body.ts";
export type { ErrorBody, ErrorResponse } from "./error-body.ts";
export { CodedError, isLunoraError } from "./error.ts";
export type { ErrorCode, KnownErrorCode, LunoraErrorOptions } from "./error.ts";
export { LUNORA_ERROR, LunoraError, statusOf } from "./lunora-error.ts";
