import { NO_SCHEDULER } from "@lunora/server";
import type { TriggerEvent, TriggerOperation, TriggerTiming } from "@lunora/server";

import { RowAccess } from "./row-access.ts";
import type { Session } from "./session.ts";
import type { Table } from "./table.ts";

/** Makes the `ctx.db` of a session: that of a function under no policy, unless another access is given. */
export type DatabaseFactory = (session: Session, access?: RowAccess) => TriggerEvent["ctx"]["db"];

/**
 * Runs the triggers of a table, one after the other. Resolves to the document that the last
 * before-handler returned, if any did.
 */
export async function runTriggers(
  session: Session,
  createDatabase: DatabaseFactory,
  table: Table,
  timing: TriggerTiming,
  operation: TriggerOperation,
  event: Omit<TriggerEvent, "ctx">,
): Promise<Record<string, unknown> | undefined> {
  let replacement: Record<string, unknown> | undefined;
  for (const handler of table.triggers(timing, operation)) {
    const child = session.child();
    const document = replacement ?? event.document;
    try {
      const answer: unknown = await handler({
        ctx: {
          db: createDatabase(child, RowAccess.ofSystem(child, createDatabase)),
          scheduler: child.facts.outbox?.schedulerOf(child) ?? NO_SCHEDULER,
        },
        id: event.id,
        ...(document === undefined ? {} : { document }),
        ...(event.previous === undefined ? {} : { previous: event.previous }),
      });
      if (timing === "before" && operation !== "delete" && typeof answer === "object" && answer !== null) {
        replacement = answer as Record<string, unknown>;
      }
    } finally {
      await child.settle();
    }
  }
  return replacement;
}
