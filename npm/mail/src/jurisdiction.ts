import { LunoraError } from "@lunora/errors";
import { JURISDICTIONS } from "@lunora/server";
import type { Jurisdiction } from "@lunora/server";

/**
 * Mail's own option `jurisdiction`, as the schema's is checked: a region that does not exist is refused, never left out.
 *
 * @throws LunoraError `UNKNOWN_JURISDICTION`
 */
export function checkJurisdiction(jurisdiction: unknown): Jurisdiction | undefined {
  if (jurisdiction === undefined || JURISDICTIONS.includes(jurisdiction as Jurisdiction))
    return jurisdiction as Jurisdiction | undefined;
  throw new LunoraError("UNKNOWN_JURISDICTION", `\`${String(jurisdiction)}\` is not a jurisdiction`, {
    hint: `Use one of ${JURISDICTIONS.map((name) => `\`${name}\``).join(", ")}, the one that the schema declares.`,
  });
}
