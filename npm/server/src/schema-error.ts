import { LunoraError } from "@lunora/errors";

/** A schema that contradicts itself. Static reading says the same with a place in the source. */
export function schemaError(message: string, hint: string): LunoraError {
  return new LunoraError("SCHEMA_INVALID", message, { hint });
}

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** What cannot stand in the expression of an index. */
const UNUSABLE = /["\\$\0.[\]']/;
/** Names that are no plain property in JavaScript. */
const OBJECT_MEMBERS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "then",
]);

/** Names of tables, indexes, relations and extensions: letters, digits and `_`, beginning with a letter. */
export function checkName(what: string, name: string): void {
  if (NAME.test(name) && !OBJECT_MEMBERS.has(name)) return;
  throw schemaError(
    `\`${name}\` cannot be the name of ${what}`,
    "Use letters, digits and `_`, beginning with a letter; names with a leading `_` are the store's own.",
  );
}

/** Names of columns: any text that an index can name. */
export function checkColumnName(name: string): void {
  if (name !== "" && !name.startsWith("_") && !OBJECT_MEMBERS.has(name) && !UNUSABLE.test(name)) return;
  throw schemaError(
    `\`${name}\` cannot be the name of a column`,
    "Use letters, digits and `_`, beginning with a letter; names with a leading `_` are the store's own.",
  );
}
