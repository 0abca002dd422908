/** The part of Standard Schema v1 (standardschema.dev) that is produced and consumed here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": StandardProperties<Input, Output>;
}

export interface StandardProperties<Input = unknown, Output = Input> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a foreign schema accepts. */
export type StandardInput<Schema extends StandardSchema<unknown, unknown>> = NonNullable<
  Schema["~standard"]["types"]
>["input"];

/** What a foreign schema produces. */
export type StandardOutput<Schema extends StandardSchema<unknown, unknown>> = NonNullable<
  Schema["~standard"]["types"]
>["output"];
