/**
 * Regions a Durable Object can be pinned to. The toolchain has the same list in `crates/lunora_ir/src/jurisdiction.rs`;
 * `tests/fixtures/jurisdictions.json` holds the two equal.
 */
export const JURISDICTIONS = ["eu", "us", "fedramp", "fedramp-high"] as const;

/** One of {@link JURISDICTIONS}. */
export type Jurisdiction = (typeof JURISDICTIONS)[number];
