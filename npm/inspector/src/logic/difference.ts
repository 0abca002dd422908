/** How one field of a document changed. */
export interface FieldChange {
  readonly field: string;
  readonly kind: "added" | "removed" | "changed" | "same";
  readonly before?: unknown;
  readonly after?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Equal as JSON, whatever the order of fields. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [names, others] = [Object.keys(left), Object.keys(right)];
  if (names.length !== others.length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isEqual((left as Fields)[name], (right as Fields)[name]));
}

const changeOf = (field: string, before: Fields, after: Fields): FieldChange => {
  if (!Object.hasOwn(before, field)) return { field, kind: "added", after: after[field] };
  if (!Object.hasOwn(after, field)) return { field, kind: "removed", before: before[field] };
  const kind = isEqual(before[field], after[field]) ? "same" : "changed";
  return { field, kind, before: before[field], after: after[field] };
};

/** The fields of two images of a row, what changed first, then by name. No image stands for no fields. */
export function difference(before: Fields | null | undefined, after: Fields | null | undefined): FieldChange[] {
  const [old, next] = [before ?? {}, after ?? {}];
  const fields = new Set([...Object.keys(old), ...Object.keys(next)]);
  const changes = [...fields].map((field) => changeOf(field, old, next));
  const rank = (change: FieldChange): number => (change.kind === "same" ? 1 : 0);
  return changes.sort((one, other) => rank(one) - rank(other) || (one.field < other.field ? -1 : 1));
}

/** The document in a JSON text, or `undefined` when the text was cut or is none. */
export function imageOf(text: string | undefined): Fields | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    // A cut text is not JSON; whoever shows it shows the text itself.
    return undefined;
  }
}
