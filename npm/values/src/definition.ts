import type { StandardSchema } from "./standard-schema.ts";
import type { AnyValidator, ValidatorMap } from "./validator.ts";

/** What `v.literal` takes. */
export type LiteralValue = string | number | boolean | bigint | null;

/** A validator as data, in the words that static reading uses for it. */
export type ValidatorDefinition =
  | {
      readonly kind:
        | "string"
        | "number"
        | "boolean"
        | "null"
        | "bigint"
        | "bytes"
        | "timestamp"
        | "date"
        | "geoPoint"
        | "any";
    }
  | { readonly kind: "foreign"; readonly schema: StandardSchema }
  | { readonly kind: "storage"; readonly bucket?: string }
  | { readonly kind: "id"; readonly table: string }
  | { readonly kind: "literal"; readonly value: LiteralValue }
  | { readonly kind: "array"; readonly item: AnyValidator }
  | { readonly kind: "object"; readonly fields: ValidatorMap }
  | { readonly kind: "record"; readonly key: AnyValidator; readonly value: AnyValidator }
  | { readonly kind: "union"; readonly members: readonly AnyValidator[] }
  | { readonly kind: "optional"; readonly inner: AnyValidator }
  | { readonly kind: "nullable"; readonly inner: AnyValidator };

/** What fills a value that was left out. */
export type DefaultDefinition =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "function"; readonly create: () => unknown }
  | { readonly kind: "now" };

/** What `.serverDefault` gets. */
export interface ServerDefaultOptions {
  readonly auth: { readonly userId: string | null };
}

/** What `.check` takes besides its predicate. */
export interface CheckOptions {
  /** What was asked for, in words: stands after "expected". */
  readonly message?: string;
  /** The same condition as a fragment of JSON Schema. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** What modifiers said about a column or argument; wrappers inherit it. */
export interface ColumnFacts {
  readonly isOptional: boolean;
  readonly isUnique: boolean;
  readonly default?: DefaultDefinition;
  /** Runs on every patch and replace that does not name the column. */
  readonly onUpdate?: () => unknown;
  /** Decides the value on every write, whatever the caller sent. */
  readonly server?: (options: ServerDefaultOptions) => unknown;
  /** Fragments of JSON Schema that `.check` named. */
  readonly schemas: readonly Readonly<Record<string, unknown>>[];
  readonly meta: Readonly<Record<string, unknown>>;
}

/** A column without modifiers. */
export const PLAIN_COLUMN: ColumnFacts = { isOptional: false, isUnique: false, schemas: [], meta: {} };
