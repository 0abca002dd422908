import type {
  LunoraClient,
  RowOf,
  ShapeArguments,
  ShapeArgumentsOf,
  ShapeOptions,
  ShapeSnapshot,
} from "@lunora/client";
import { subscriptionKey } from "@lunora/protocol";
import type { ShapeReference } from "@lunora/protocol";
import type { CollectionConfig, SyncConfig } from "@tanstack/db";

/** A shape whose rows have ids, as all rows do. */
export type RowShape = ShapeReference<unknown, { readonly _id: string }>;

/** What {@link lunoraCollectionOptions} takes. */
export type LunoraCollectionOptions<Shape extends RowShape> = ShapeOptions<RowOf<Shape>> & {
  readonly client: LunoraClient;
  readonly shape: Shape;
} & ({} extends ShapeArgumentsOf<Shape>
    ? { readonly args?: ShapeArgumentsOf<Shape> }
    : { readonly args: ShapeArgumentsOf<Shape> });

/** What a collection over a shape knows of it; its `utils`. */
export interface LunoraCollectionUtils {
  /** The table whose rows these are. */
  readonly table: string;
  readonly [name: string]: unknown;
}

/** The configuration of a collection over a shape: give it to `createCollection`. */
export type LunoraCollectionConfig<Row extends object> = CollectionConfig<Row, string, never, LunoraCollectionUtils> & {
  readonly id: string;
  readonly schema?: never;
  readonly utils: LunoraCollectionUtils;
};

type SyncParameters<Row extends object> = Parameters<SyncConfig<Row, string>["sync"]>[0];

/**
 * A TanStack DB collection whose rows are those of a shape, by `_id`. The shape is subscribed to while
 * the collection syncs. What one poke changes is one sync transaction, the dropping of optimistic
 * changes included, so that no query over the collection sees half of it.
 */
export function lunoraCollectionOptions<Shape extends RowShape>(
  options: LunoraCollectionOptions<Shape>,
): LunoraCollectionConfig<RowOf<Shape>> {
  const { client, shape, args = {}, matches } = options;
  const shapeOptions = matches === undefined ? {} : { matches };
  const rest = [args, shapeOptions] as unknown as ShapeArguments<Shape>;
  return {
    id: subscriptionKey(`shape:${shape.name}`, args),
    getKey: (row) => row._id,
    sync: { rowUpdateMode: "full", sync: (parameters) => follow(client, shape, rest, parameters) },
    utils: { table: shape.table },
  };
}

/** Copies the shape's view into the collection until the returned function is called. */
function follow<Shape extends RowShape>(
  client: LunoraClient,
  shape: Shape,
  rest: ShapeArguments<Shape>,
  sync: SyncParameters<RowOf<Shape>>,
): () => void {
  const live = client.shape(shape, ...rest);
  let shown: ReadonlyMap<string, RowOf<Shape>> = new Map<string, RowOf<Shape>>();
  const refresh = (): void => {
    const snapshot = live.getSnapshot();
    if (snapshot.rows !== shown) writeDifference(sync, shown, snapshot.rows);
    shown = snapshot.rows;
    tellStatus(sync, snapshot);
  };
  // A collection that was cleaned up starts empty, whatever it held before.
  const stop = live.subscribe(refresh);
  refresh();
  return stop;
}

/** Rows that did not change are the same objects, so looking at each once is enough. */
function writeDifference<Row extends { readonly _id: string }>(
  { begin, write, commit }: SyncParameters<Row>,
  before: ReadonlyMap<string, Row>,
  after: ReadonlyMap<string, Row>,
): void {
  begin();
  for (const [id, value] of after) {
    const previous = before.get(id);
    if (previous === undefined) write({ type: "insert", value });
    else if (previous !== value) write({ type: "update", value });
  }
  for (const id of before.keys()) if (!after.has(id)) write({ type: "delete", key: id });
  void commit();
}

function tellStatus(
  { markReady, markError }: Pick<SyncParameters<object>, "markReady" | "markError">,
  { status, error }: ShapeSnapshot,
): void {
  if (status === "error") markError(error);
  else if (status !== "loading") markReady();
}
