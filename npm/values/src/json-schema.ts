import type { LiteralValue } from "./definition.ts";
import type { AnyValidator, ValidatorMap } from "./validator.ts";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** How values that JSON cannot hold look on the wire: `["$lunora.wire$", kind, …]`. */
function tagged(kind: string, ...rest: readonly JsonSchema[]): JsonSchema {
  const items = [{ const: "$lunora.wire$" }, { const: kind }, ...rest];
  return { type: "array", prefixItems: items, minItems: items.length, maxItems: items.length };
}

/** The schema of what a validator accepts, as it travels. */
export function toJsonSchema(validator: AnyValidator): JsonSchema {
  return { $schema: DIALECT, ...schemaOf(validator) };
}

/** The schema of a function's arguments, as they travel. */
export function argsToJsonSchema(fields: ValidatorMap): JsonSchema {
  return { $schema: DIALECT, ...objectSchema(fields) };
}

function schemaOf(validator: AnyValidator): JsonSchema {
  const { column } = validator;
  const filled =
    column.default?.kind === "value" && isJson(column.default.value) ? { default: column.default.value } : {};
  return Object.assign({}, baseSchema(validator), ...column.schemas, filled) as JsonSchema;
}

function baseSchema({ definition }: AnyValidator): JsonSchema {
  switch (definition.kind) {
    case "string":
      return { type: "string" };
    case "storage":
      return { type: "string", description: "Key of a stored object" };
    case "id":
      return { type: "string", minLength: 1, description: `Id of ${definition.table}` };
    case "number":
      return { type: "number" };
    case "timestamp":
    case "date":
      return { type: "number", description: "Epoch milliseconds" };
    case "boolean":
      return { type: "boolean" };
    case "null":
      return { type: "null" };
    case "bigint":
      return tagged("bigint", { type: "string", pattern: "^-?[0-9]+$" });
    case "bytes":
      return tagged("bytes", { type: "string", contentEncoding: "base64" }, { const: "ArrayBuffer" });
    case "geoPoint":
      return {
        type: "object",
        properties: {
          lat: { type: "number", minimum: -90, maximum: 90 },
          lng: { type: "number", minimum: -180, maximum: 180 },
        },
        required: ["lat", "lng"],
      };
    case "any":
    case "foreign":
      return {};
    case "literal":
      return literalSchema(definition.value);
    case "array":
      return { type: "array", items: schemaOf(definition.item) };
    case "object":
      return objectSchema(definition.fields);
    case "record":
      return {
        type: "object",
        propertyNames: schemaOf(definition.key),
        additionalProperties: schemaOf(definition.value),
      };
    case "union":
      return { anyOf: definition.members.map(schemaOf) };
    case "optional":
      return schemaOf(definition.inner);
    case "nullable":
      return { anyOf: [schemaOf(definition.inner), { type: "null" }] };
  }
}

function objectSchema(fields: ValidatorMap): JsonSchema {
  const entries = Object.entries(fields);
  const required = entries
    .filter(([, { column }]) => !column.isOptional && column.default === undefined && column.server === undefined)
    .map(([key]) => key);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([key, validator]) => [key, schemaOf(validator)])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function literalSchema(value: LiteralValue): JsonSchema {
  return typeof value === "bigint" ? tagged("bigint", { const: String(value) }) : { const: value };
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return (
    typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson)
  );
}
