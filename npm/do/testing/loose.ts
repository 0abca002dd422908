/**
 * What a test gets from the wire or hands to a generic app: its shape is the test's business.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the one place where tests do without types
export type Loose = any;
