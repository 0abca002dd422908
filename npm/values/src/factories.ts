import { arrayCheck, fieldsCheck, recordCheck, unionCheck } from "./composite-checks.ts";
import type { LiteralValue, ValidatorDefinition } from "./definition.ts";
import { describeValue } from "./describe-value.ts";
import { Failure } from "./failure.ts";
import type { Check } from "./failure.ts";
import { foreignCheck } from "./foreign-check.ts";
import type { Id } from "./id.ts";
import type { Infer, InferFields, InferFieldsInput, InferInput } from "./infer.ts";
import { isPlainObject } from "./own-field.ts";
import type { StandardInput, StandardOutput, StandardSchema } from "./standard-schema.ts";
import { Validator } from "./validator.ts";
import type { AnyValidator, ValidatorMap } from "./validator.ts";

const checkString: Check = (value) => (typeof value === "string" ? value : Failure.of("string", value));

const checkNumber: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : Failure.of("finite number", value);

const checkTime: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : Failure.of("epoch milliseconds", value);

/** Any text. */
export function string(): Validator<string> {
  return new Validator({ kind: "string" }, checkString);
}

/** A finite number: neither `NaN` nor an infinity. */
export function number(): Validator<number> {
  return new Validator({ kind: "number" }, checkNumber);
}

export function boolean(): Validator<boolean> {
  return new Validator({ kind: "boolean" }, (value) =>
    typeof value === "boolean" ? value : Failure.of("boolean", value),
  );
}

function nullValidator(): Validator<null> {
  return new Validator({ kind: "null" }, (value) => (value === null ? null : Failure.of("null", value)));
}

export { nullValidator as null };

/** An exact integer of any size. */
export function bigint(): Validator<bigint> {
  return new Validator({ kind: "bigint" }, (value) =>
    typeof value === "bigint" ? value : Failure.of("bigint", value),
  );
}

/** An `ArrayBuffer`. */
export function bytes(): Validator<ArrayBuffer> {
  return new Validator({ kind: "bytes" }, (value) =>
    Object.prototype.toString.call(value) === "[object ArrayBuffer]" ? value : Failure.of("ArrayBuffer", value),
  );
}

/** The id of a row of the table. */
export function id<const Table extends string>(table: Table): Validator<Id<Table>> {
  const expected = `id of \`${table}\``;
  return new Validator({ kind: "id", table }, (value) =>
    typeof value === "string" && value !== "" ? value : Failure.of(expected, value),
  );
}

/** Exactly this value. */
export function literal<const Value extends LiteralValue>(value: Value): Validator<Value> {
  const expected = typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
  return new Validator({ kind: "literal", value }, (candidate) =>
    candidate === value ? candidate : new Failure(expected, describeValue(candidate), true),
  );
}

export function array<Item extends AnyValidator>(item: Item): Validator<Infer<Item>[], "required", InferInput<Item>[]> {
  refuseOptional("v.array", item);
  return new Validator({ kind: "array", item }, arrayCheck(item));
}

/** The declared fields; others are dropped. */
export function object<Fields extends ValidatorMap>(
  fields: Fields,
): Validator<InferFields<Fields>, "required", InferFieldsInput<Fields>> {
  return new Validator({ kind: "object", fields }, fieldsCheck(fields));
}

/** An object used as a dictionary. */
export function record<Key extends Validator<string, "required", string>, Value extends AnyValidator>(
  key: Key,
  value: Value,
): Validator<Record<Infer<Key>, Infer<Value>>, "required", Record<Infer<Key>, InferInput<Value>>> {
  refuseOptional("v.record", key);
  refuseOptional("v.record", value);
  return new Validator({ kind: "record", key, value }, recordCheck(key, value));
}

/** The first member that accepts the value. */
export function union<const Members extends readonly AnyValidator[]>(
  ...members: Members
): Validator<Infer<Members[number]>, "required", InferInput<Members[number]>> {
  for (const member of members) refuseOptional("v.union", member);
  return new Validator({ kind: "union", members }, unionCheck(members));
}

/** A field that may be left out. */
export function optional<Inner extends AnyValidator>(
  inner: Inner,
): Validator<Infer<Inner> | undefined, "optional", InferInput<Inner> | undefined> {
  const check = inner["~check"];
  const { default: filled } = inner.column;
  return new Validator(
    { kind: "optional", inner },
    filled === undefined ? (value) => (value === undefined ? undefined : check(value)) : check,
    { ...inner.column, isOptional: true },
  );
}

/** Anything but `undefined`. */
// oxlint-disable-next-line typescript/no-explicit-any -- what `v.any` says is that nothing is known and all is allowed
export function any(): Validator<any> {
  return new Validator({ kind: "any" }, (value) => (value === undefined ? Failure.of("a value", value) : value));
}

/** A point in time, epoch milliseconds. */
export function timestamp(): Validator<number> {
  return new Validator({ kind: "timestamp" }, checkTime);
}

/** A day, as epoch milliseconds. */
export function date(): Validator<number> {
  return new Validator({ kind: "date" }, checkTime);
}

/** A place on earth, in degrees of WGS 84. */
export interface GeoPoint {
  /** −90 to 90. */
  lat: number;
  /** −180 to 180. */
  lng: number;
}

const checkGeoPoint: Check = (value) => {
  if (!isPlainObject(value)) return Failure.of("object", value);
  const { lat, lng } = value;
  if (!isDegrees(lat, 90)) return Failure.of("latitude from -90 to 90", lat).at("lat");
  if (!isDegrees(lng, 180)) return Failure.of("longitude from -180 to 180", lng).at("lng");
  return { lat, lng };
};

function isDegrees(value: unknown, limit: number): boolean {
  return typeof value === "number" && Math.abs(value) <= limit;
}

/** A place on earth. */
export function geoPoint(): Validator<GeoPoint> {
  return new Validator({ kind: "geoPoint" }, checkGeoPoint);
}

/** The key of a stored object, in the named bucket. */
export function storage(bucket?: string): Validator<string> {
  return new Validator(bucket === undefined ? { kind: "storage" } : { kind: "storage", bucket }, checkString);
}

/** A schema of another library that speaks Standard Schema v1, synchronous ones only. */
export function from<Schema extends StandardSchema<unknown, unknown>>(
  schema: Schema,
): Validator<StandardOutput<Schema>, "required", StandardInput<Schema>> {
  const definition: ValidatorDefinition = { kind: "foreign", schema };
  return new Validator(definition, foreignCheck(schema));
}

function refuseOptional(owner: string, member: AnyValidator): void {
  if (member.column.isOptional) {
    throw new TypeError(
      `\`v.optional\` inside \`${owner}\` has no meaning: only a field can be left out. Use \`.nullable()\`, or drop it`,
    );
  }
}
