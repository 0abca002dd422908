import * as v from "./factories.ts";
import type { Validator } from "./validator.ts";

/** What a client asks of a paginated query: what `paginate` of a query takes. */
export interface PaginationOpts {
  /** Rows in the page, at least 1. */
  numItems: number;
  /** `null` for the first page, then `continueCursor` of the page before. */
  cursor: string | null;
  /** Ends the page there, whatever its size. */
  endCursor?: string;
}

/** The argument `paginationOpts` of a query that hands it to `paginate`. */
export const paginationOptsValidator: Validator<PaginationOpts> = v.object({
  numItems: v.number(),
  cursor: v.union(v.string(), v.null()),
  endCursor: v.optional(v.string()),
}) as Validator<PaginationOpts>;
