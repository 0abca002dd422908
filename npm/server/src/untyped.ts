/**
 * What is typed where it is written and not where it runs: the store and the registry know tables
 * and arguments by name only, and a trigger may reach tables that are declared after its own.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the one place where the types of an app end
export type Untyped = any;
