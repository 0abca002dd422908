/** A policy of the running app, and who asks it. */
export interface PolicyUse {
  readonly table: string;
  readonly on: "read" | "insert" | "update" | "delete";
  readonly functions: readonly string[];
  readonly shapes: readonly string[];
}

export interface Policies {
  readonly policies: readonly PolicyUse[];
  /** What could not be imported, and may ask more. */
  readonly unread: readonly { readonly name: string; readonly error: string }[];
}
