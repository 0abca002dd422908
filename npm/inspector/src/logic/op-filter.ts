/** What of an op-log is looked for. */
export interface OpFilter {
  readonly table?: string;
  readonly id?: string;
  readonly op?: string;
}

const OPS = new Set(["insert", "update", "delete"]);

/** `messages insert`, `table:messages id:abc`: words are an op, a table that is known, or an id. */
export function opFilter(text: string, tables: readonly string[]): OpFilter {
  const filter: { table?: string; id?: string; op?: string } = {};
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const named = /^(table|id|op):(.+)$/.exec(word);
    if (named !== null) filter[named[1] as keyof OpFilter] = named[2] ?? "";
    else if (OPS.has(word)) filter.op = word;
    else if (tables.includes(word)) filter.table = word;
    else filter.id = word;
  }
  return filter;
}

/** Whether a change is looked for. */
export function isOp(
  filter: OpFilter,
  change: { readonly table: string; readonly id: string; readonly op: string },
): boolean {
  return (
    (filter.table === undefined || filter.table === change.table) &&
    (filter.id === undefined || change.id.includes(filter.id)) &&
    (filter.op === undefined || filter.op === change.op)
  );
}
