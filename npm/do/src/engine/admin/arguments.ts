import { LunoraError } from "@lunora/errors";

/** The argument of an operation. Only the Worker sends one, so what is wrong with it is the fault of a program. */
export type Fields = Readonly<Record<string, unknown>>;

function refuse(name: string, wanted: string): never {
  throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be ${wanted}`);
}

export function fieldsOf(argument: unknown): Fields {
  if (typeof argument !== "object" || argument === null) refuse("argument", "an object");
  return argument as Fields;
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : refuse(name, "a text that is not empty");
}

export function positive(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : refuse(name, "a positive number");
}

export function texts(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  return Array.isArray(value) && value.every((item) => typeof item === "string")
    ? (value as string[])
    : refuse(name, "a list of texts");
}
