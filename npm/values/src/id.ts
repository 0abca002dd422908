/** The id of a row: a string at run time, its table known to the type checker. */
export type Id<Table extends string> = string & { readonly __table: Table };
