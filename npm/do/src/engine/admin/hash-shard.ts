import { livesHere } from "../shard-scope.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, texts } from "./arguments.ts";
import { canonicalRow, pageRange, pageRows } from "./row-pages.ts";
import { TableHash } from "./table-hash.ts";
import type { TableProof } from "./table-hash.ts";

/** Which rows come next. */
export interface HashPosition {
  readonly table: string;
  readonly after: string;
}

/** What a part of a shard adds to the proofs of its tables. */
export interface HashPage {
  readonly tables: Readonly<Record<string, TableProof>>;
  /** Where to go on; `null` at the end. */
  readonly position: HashPosition | null;
}

/** Hashes some rows as they are now. */
export async function hashPage(host: ShardAdminHost, argument: unknown): Promise<HashPage> {
  const fields = fieldsOf(argument);
  const names = texts(fields, "tables");
  let bytes = positive(fields, "bytes");
  const { schema, scope, storage } = host.engine.findHost;
  const tables = names.map((name) => schema.table(name)).filter((table) => livesHere(scope, table));
  let position = fields["position"] as HashPosition | null;
  let place = position === null ? 0 : tables.findIndex(({ name }) => name === position?.table);
  const proofs: Record<string, TableProof> = {};
  for (; place >= 0 && place < tables.length && bytes > 0; place += 1) {
    const table = tables[place];
    if (table === undefined) break;
    const sum = new TableHash();
    let after: string | null = position?.after ?? "";
    position = null;
    while (after !== null && bytes > 0) {
      const range = pageRange(storage, table, after, bytes);
      const docs = pageRows(storage, table, after, range).map((row) => canonicalRow(table, row, new Set()));
      for (const doc of docs) bytes -= doc.length;
      await sum.add(docs);
      after = range.last;
    }
    if (sum.rows > 0) proofs[table.name] = sum.proof();
    if (after !== null) return { tables: proofs, position: { table: table.name, after } };
  }
  const next = tables[place];
  return { tables: proofs, position: next === undefined ? null : { table: next.name, after: "" } };
}
