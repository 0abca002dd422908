export type {
  CheckOptions,
  ColumnFacts,
  DefaultDefinition,
  LiteralValue,
  ServerDefaultOptions,
  ValidatorDefinition,
} from "./definition.ts";
export { describeValue } from "./describe-value.ts";
export * as v from "./factories.ts";
export type { GeoPoint } from "./factories.ts";
export { defaultOf, isNullable, parseFields, unwrap } from "./fields.ts";
export type { Id } from "./id.ts";
export type { Infer, InferFields, InferFieldsInput, InferInput, Simplify } from "./infer.ts";
export { argsToJsonSchema, toJsonSchema } from "./json-schema.ts";
export type { JsonSchema } from "./json-schema.ts";
export { paginationOptsValidator } from "./pagination-options.ts";
export type { PaginationOpts } from "./pagination-options.ts";
export { formatPath } from "./path.ts";
export type { Path } from "./path.ts";
export type {
  StandardInput,
  StandardIssue,
  StandardOutput,
  StandardProperties,
  StandardResult,
  StandardSchema,
} from "./standard-schema.ts";
export { ValidationError } from "./validation-error.ts";
export { Validator } from "./validator.ts";
export type { AnyValidator, ParseResult, Presence, ValidatorMap } from "./validator.ts";
