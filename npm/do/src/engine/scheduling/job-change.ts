import type { JobOrder } from "@lunora/runtime";

/** What a mutation does to jobs, held until it commits. */
export type JobChange =
  | { readonly kind: "run"; readonly job: JobOrder }
  /** A job that was scheduled in the same group of mutations, and so has left for nowhere yet. */
  | { readonly kind: "drop"; readonly id: string }
  /** A job that the scheduler holds back for this mutation. */
  | { readonly kind: "cancel"; readonly id: string; readonly hold: string };

/** What is left for the outbox when the changes are taken together, in order. */
export function settledChanges(changes: readonly JobChange[]): Exclude<JobChange, { kind: "drop" }>[] {
  const dropped = new Set(changes.flatMap((change) => (change.kind === "drop" ? [change.id] : [])));
  return changes.filter(
    (change): change is Exclude<JobChange, { kind: "drop" }> =>
      change.kind === "cancel" || (change.kind === "run" && !dropped.has(change.job.id)),
  );
}

/** What the changes say about a job; `undefined` when they do not name it. */
export function stagedJob(changes: Iterable<JobChange>, id: string): JobOrder | "cancelled" | undefined {
  let found: JobOrder | "cancelled" | undefined;
  for (const change of changes) {
    if (change.kind === "run") {
      if (change.job.id === id) found = change.job;
    } else if (change.id === id) found = "cancelled";
  }
  return found;
}
