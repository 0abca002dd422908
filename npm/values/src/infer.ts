import type { AnyValidator, ValidatorMap } from "./validator.ts";

/** The type a validator produces. */
export type Infer<V extends AnyValidator> = V["~output"];

/** The type a validator accepts. */
export type InferInput<V extends AnyValidator> = V["~input"];

/** Shows an intersection as one object type. */
export type Simplify<Shape> = { [Key in keyof Shape]: Shape[Key] } & {};

/** The object that a map of validators produces. */
export type InferFields<Fields extends ValidatorMap> = Simplify<
  {
    -readonly [
      Key in keyof Fields as Fields[Key]["~presence"] extends "optional" ? never : Key
    ]: Fields[Key]["~output"];
  } & {
    -readonly [Key in keyof Fields as Fields[Key]["~presence"] extends "optional" ? Key : never]?: Exclude<
      Fields[Key]["~output"],
      undefined
    >;
  }
>;

/** The object that a map of validators accepts. */
export type InferFieldsInput<Fields extends ValidatorMap> = Simplify<
  {
    -readonly [Key in keyof Fields as Fields[Key]["~presence"] extends "required" ? Key : never]: Fields[Key]["~input"];
  } & {
    -readonly [Key in keyof Fields as Fields[Key]["~presence"] extends "required" ? never : Key]?:
      | Fields[Key]["~input"]
      | undefined;
  }
>;
