import { query } from "./_generated/server";
import { schema } from "./schema.js";

/** What the schema of the worker that answers declares; `null` where it pins nothing. */
export const declared = query.query(() => schema.pinnedJurisdiction ?? null);
