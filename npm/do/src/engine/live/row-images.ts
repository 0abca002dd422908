import type { StoredRow } from "../document.ts";
import { run, slot, sql } from "../statement.ts";
import type { Fragment } from "../statement.ts";
import type { SqlStorage } from "../sql.ts";

/** Images in one statement: their number, and the length of their JSON. The platform binds at most 2 MB. */
const STATEMENT_IMAGES = 1_000;
const STATEMENT_LENGTH = 500_000;

/** Images that are bound column by column, which is three times as fast as through JSON; a union has at most five parts. */
const FEW = 4;

function few(images: readonly StoredRow[]): Fragment {
  return images
    .map(
      ({ id, creationTime, doc, keys }, position) =>
        sql`SELECT ${String(position)} AS position, ${slot(id)} AS id, ${slot(creationTime)} AS _creationTime, ${slot(doc)} AS doc, ${slot(keys)} AS keys`,
    )
    .reduce((all, image) => sql`${all} UNION ALL ${image}`);
}

/** The image as an array. Its JSON is put in as it is, because a quoted document could be twice as long. */
function textOf({ id, creationTime, doc, keys }: StoredRow): string {
  return `[${JSON.stringify(id)},${creationTime},${doc},${keys ?? "null"}]`;
}

/** Materialized, or each condition would compute the columns again. */
function many(images: readonly StoredRow[]): Fragment {
  const rows = slot(`[${images.map(textOf).join(",")}]`);
  return sql`WITH image AS MATERIALIZED (SELECT key AS position, value ->> 0 AS id, value ->> 1 AS _creationTime, value ->> 2 AS doc, value ->> 3 AS keys FROM json_each(${rows})) SELECT * FROM image`;
}

/** Images that go into one statement together; one that is too long for company goes alone. */
function* batches(images: readonly StoredRow[]): Generator<readonly StoredRow[]> {
  let batch: StoredRow[] = [];
  let length = 0;
  for (const image of images) {
    const own = image.doc.length + (image.keys?.length ?? 0);
    if (batch.length > 0 && (batch.length >= STATEMENT_IMAGES || length + own > STATEMENT_LENGTH)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(image);
    length += own;
  }
  if (batch.length > 0) yield batch;
}

/** Those of the images that the condition holds for: one statement unless they are very many or very long. */
export function imagesThatMeet(
  storage: SqlStorage,
  images: readonly StoredRow[],
  condition: Fragment,
): ReadonlySet<StoredRow> {
  const found = new Set<StoredRow>();
  for (const batch of batches(images)) {
    const source = batch.length <= FEW ? few(batch) : many(batch);
    const statement = sql`SELECT position FROM (${source}) WHERE ${condition}`;
    // The sources are no expressions: only the condition is nested.
    for (const [position] of run(storage, { ...statement, depth: condition.depth }).raw())
      found.add(batch[position as number] as StoredRow);
  }
  return found;
}
