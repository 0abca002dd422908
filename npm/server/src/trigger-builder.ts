import type { DatabaseWriter } from "./database.ts";
import type { TriggerDefinition, TriggerHandler, TriggerOperation, TriggerTiming } from "./definition.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Untyped } from "./untyped.ts";

/** What a trigger's handler gets, typed by the table's columns. */
export interface TypedTriggerEvent<Document> {
  readonly ctx: { readonly db: DatabaseWriter<Untyped>; readonly scheduler: Scheduler };
  readonly id: string;
  readonly document: Document;
  readonly previous: Document;
}

/** The row as a trigger sees it. */
export type TriggerDocument<Columns> = Columns & { readonly _id: string; readonly _creationTime: number };

type InsertHandler<Columns> = (event: Omit<TypedTriggerEvent<TriggerDocument<Columns>>, "previous">) => unknown;
type UpdateHandler<Columns> = (event: TypedTriggerEvent<TriggerDocument<Columns>>) => unknown;
type DeleteHandler<Columns> = (event: Omit<TypedTriggerEvent<TriggerDocument<Columns>>, "document">) => unknown;

/**
 * What `.triggers` hands to its callback. A before-handler may throw to refuse the write, and
 * before an insert or update may return the columns as they shall be written.
 */
export interface TriggerBuilder<Columns> {
  beforeInsert(handler: InsertHandler<Columns>): TriggerDefinition;
  afterInsert(handler: InsertHandler<Columns>): TriggerDefinition;
  beforeUpdate(handler: UpdateHandler<Columns>): TriggerDefinition;
  afterUpdate(handler: UpdateHandler<Columns>): TriggerDefinition;
  beforeDelete(handler: DeleteHandler<Columns>): TriggerDefinition;
  afterDelete(handler: DeleteHandler<Columns>): TriggerDefinition;
}

function trigger(
  timing: TriggerTiming,
  event: TriggerOperation,
): (handler: (event: Untyped) => unknown) => TriggerDefinition {
  return (handler) => ({ timing, event, handler: handler as TriggerHandler });
}

export const triggerBuilder: TriggerBuilder<Untyped> = {
  beforeInsert: trigger("before", "insert"),
  afterInsert: trigger("after", "insert"),
  beforeUpdate: trigger("before", "update"),
  afterUpdate: trigger("after", "update"),
  beforeDelete: trigger("before", "delete"),
  afterDelete: trigger("after", "delete"),
};
