/** Which way a migration runs: `up` from the oldest row to the newest, `down` back. */
export type Direction = "up" | "down";

/**
 * The line between the rows that are migrated, which are the older ones, and those that are not. Both directions move
 * the same line, so that one may go on where the other was stopped: no row is ever transformed twice the same way.
 */
export type Position =
  /** No row is migrated. */
  | { readonly place: "start" }
  /** Rows before, or up to and with, this one are. */
  | { readonly place: "before" | "after"; readonly creationTime: number; readonly id: string }
  /** All are, and so is what is written from now on. */
  | { readonly place: "end" };

/** A row, by what rows are ordered by. */
export interface RowPlace {
  readonly creationTime: number;
  readonly id: string;
}

export const START: Position = { place: "start" };
export const END: Position = { place: "end" };

/** Where a direction leads to. */
export function target(direction: Direction): Position {
  return direction === "up" ? END : START;
}

/** Whether there is nothing left to do. */
export function isReached(position: Position, direction: Direction): boolean {
  return position.place === target(direction).place;
}

/** The line once a row was handled. */
export function beyond({ creationTime, id }: RowPlace, direction: Direction): Position {
  return { place: direction === "up" ? "after" : "before", creationTime, id };
}

/** The line in front of a row that is to be handled next. */
export function inFrontOf({ creationTime, id }: RowPlace, direction: Direction): Position {
  return { place: direction === "up" ? "before" : "after", creationTime, id };
}

/** Rows that lie ahead of the line, nearest first: the end of a statement, and what it is given. */
export function ahead(
  position: Position,
  direction: Direction,
): { readonly clause: string; readonly bindings: readonly (number | string)[] } {
  const order = direction === "up" ? "ORDER BY _creationTime, id" : "ORDER BY _creationTime DESC, id DESC";
  if (position.place === "start" || position.place === "end")
    return isReached(position, direction)
      ? { clause: `WHERE 0 ${order}`, bindings: [] }
      : { clause: order, bindings: [] };
  const comparison =
    direction === "up" ? (position.place === "after" ? ">" : ">=") : position.place === "after" ? "<=" : "<";
  return {
    clause: `WHERE (_creationTime, id) ${comparison} (?, ?) ${order}`,
    bindings: [position.creationTime, position.id],
  };
}

/** Reads what travelled as JSON; `undefined` when it is no position. */
export function toPosition(value: unknown): Position | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { place, creationTime, id } = value as Record<string, unknown>;
  if (place === "start") return START;
  if (place === "end") return END;
  if ((place !== "before" && place !== "after") || typeof creationTime !== "number" || typeof id !== "string")
    return undefined;
  return { place, creationTime, id };
}
