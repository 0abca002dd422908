export { STATUS_BY_CODE } from "./codes.ts";
export { fromErrorBody, toErrorBody } from "./error-body.ts";
export type { ErrorBody, ErrorResponse } from "./error-body.ts";
export { isLunoraError, LUNORA_ERROR, LunoraError, statusOf } from "./error.ts";
export type { ErrorCode, KnownErrorCode, LunoraErrorOptions } from "./error.ts";
