import type {
  CheckOptions,
  ColumnFacts,
  DefaultDefinition,
  ServerDefaultOptions,
  ValidatorDefinition,
} from "./definition.ts";
import { PLAIN_COLUMN } from "./definition.ts";
import { Failure } from "./failure.ts";
import type { Check } from "./failure.ts";
import type { StandardProperties, StandardResult } from "./standard-schema.ts";
import type { ValidationError } from "./validation-error.ts";

/**
 * Whether the key of a field must be there: always; never, and it may be missing from the parsed
 * value too; or not in the input, while the parsed value always has it.
 */
export type Presence = "required" | "optional" | "defaulted";

/** Any validator. */
export type AnyValidator = Validator<unknown, Presence, unknown>;

/** Fields of an object, columns of a table, arguments of a function. */
export type ValidatorMap = Readonly<Record<string, AnyValidator>>;

/** What `safeParse` answers. */
export type ParseResult<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: ValidationError };

/**
 * Checks a value and says its type. Immutable: every modifier returns another validator.
 *
 * `Output` is what parsing produces, `Input` what it accepts.
 */
export class Validator<Output, FieldPresence extends Presence = "required", Input = Output> {
  /** Never present at run time. */
  declare readonly "~output": Output;
  /** Never present at run time. */
  declare readonly "~input": Input;
  /** Never present at run time. */
  declare readonly "~presence": FieldPresence;

  readonly definition: ValidatorDefinition;
  readonly column: ColumnFacts;
  /** The whole check: defaults and predicates included. */
  readonly "~check": Check;

  constructor(definition: ValidatorDefinition, check: Check, column: ColumnFacts = PLAIN_COLUMN) {
    this.definition = definition;
    this.column = column;
    this["~check"] = check;
  }

  /** The parsed value: a fresh object where the value is one. Throws {@link ValidationError}. */
  parse(value: unknown): Output {
    const result = this["~check"](value);
    if (result instanceof Failure) throw result.toError();
    return result as Output;
  }

  /** Like `parse`, with the error as a value. */
  safeParse(value: unknown): ParseResult<Output> {
    const result = this["~check"](value);
    return result instanceof Failure ? { ok: false, error: result.toError() } : { ok: true, value: result as Output };
  }

  /** `null` is accepted too. */
  nullable(): Validator<Output | null, FieldPresence, Input | null> {
    const check = this["~check"];
    return new Validator(
      { kind: "nullable", inner: this },
      (value) => (value === null ? null : check(value)),
      this.column,
    );
  }

  /** Fills a value that was left out. The default must itself pass. */
  default(value: Exclude<Output, undefined>): Validator<Exclude<Output, undefined>, "defaulted", Input> {
    this.parse(value);
    return this.#withDefault({ kind: "value", value }, () => value);
  }

  /** Fills a value that was left out with what the function returns. */
  $defaultFn(create: () => Exclude<Output, undefined>): Validator<Exclude<Output, undefined>, "defaulted", Input> {
    return this.#withDefault({ kind: "function", create }, create);
  }

  /** Fills a value that was left out with the time of the call, epoch milliseconds. */
  defaultNow(this: Validator<number, FieldPresence, Input>): Validator<number, "defaulted", Input> {
    return this.#withDefault({ kind: "now" }, Date.now) as Validator<number, "defaulted", Input>;
  }

  /** A column whose value the server decides on every write, whatever the caller sends. */
  serverDefault(
    decide: (options: ServerDefaultOptions) => Exclude<Output, undefined>,
  ): Validator<Exclude<Output, undefined>, "defaulted", Input> {
    return this.#with({ server: decide }) as unknown as Validator<Exclude<Output, undefined>, "defaulted", Input>;
  }

  /** A column that is set anew on every patch and replace that does not name it. */
  $onUpdateFn(create: () => Exclude<Output, undefined>): Validator<Output, FieldPresence, Input> {
    return this.#with({ onUpdate: create });
  }

  /** No two rows of the table share the value; `null` and absent values are not compared. */
  unique(): Validator<Output, FieldPresence, Input> {
    return this.#with({ isUnique: true });
  }

  /** A narrower type than the validator implies; nothing is checked besides. */
  $type<Narrow extends Output>(): Validator<Narrow, FieldPresence, Narrow> {
    return this as unknown as Validator<Narrow, FieldPresence, Narrow>;
  }

  /** One more condition on the parsed value. A value that was left out is not asked about. */
  check(
    predicate: (value: Exclude<Output, undefined>) => boolean,
    options: CheckOptions = {},
  ): Validator<Output, FieldPresence, Input> {
    const check = this["~check"];
    const expected = options.message ?? "a value that passes `.check`";
    const column =
      options.schema === undefined
        ? this.column
        : { ...this.column, schemas: [...this.column.schemas, options.schema] };
    return new Validator(
      this.definition,
      (value) => {
        const result = check(value);
        if (result === undefined || result instanceof Failure || predicate(result as never)) return result;
        return Failure.of(expected, result);
      },
      column,
    );
  }

  /** Static facts for tools; merged with those given before. */
  meta(meta: Readonly<Record<string, unknown>>): Validator<Output, FieldPresence, Input> {
    return this.#with({ meta: { ...this.column.meta, ...meta } });
  }

  /** Standard Schema v1. */
  get "~standard"(): StandardProperties<Input, Output> {
    return {
      version: 1,
      vendor: "lunora",
      validate: (value): StandardResult<Output> => {
        const result = this.safeParse(value);
        if (result.ok) return { value: result.value };
        return { issues: [{ message: result.error.message, path: result.error.path }] };
      },
    };
  }

  #with(facts: Partial<ColumnFacts>): Validator<Output, FieldPresence, Input> {
    return new Validator(this.definition, this["~check"], { ...this.column, ...facts });
  }

  #withDefault(
    definition: DefaultDefinition,
    create: () => unknown,
  ): Validator<Exclude<Output, undefined>, "defaulted", Input> {
    const check = this["~check"];
    // What fills goes through the check as well: that is also what copies a default object.
    return new Validator(this.definition, (value) => check(value === undefined ? create() : value), {
      ...this.column,
      isOptional: false,
      default: definition,
    });
  }
}
