import { Refusal } from "../api/refusal.ts";
import type { Trace } from "../api/status.ts";
import { api } from "./api.ts";

/** What a call, or the change at a position, came from and led to; nothing of it when the timeline does not hold it. */
export async function askTrace(
  of: { readonly call: string } | { readonly object: string; readonly seq: number },
): Promise<Trace> {
  try {
    return await api.get<Trace>("trace", { ...of });
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return {};
    throw error;
  }
}
