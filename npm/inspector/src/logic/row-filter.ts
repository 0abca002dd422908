const SIGNS: Readonly<Record<string, string>> = {
  "=": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "lte",
  ">": "gt",
  ">=": "gte",
  "~": "contains",
};

const CLAUSE = /^\s*([\p{ID_Start}_$][\p{ID_Continue}$]*)\s*(!=|<=|>=|=|<|>|~)\s*(.+?)\s*$/u;

/** What was typed, understood or not. */
export type RowFilter =
  | { readonly kind: "none" }
  | { readonly kind: "where"; readonly where: Readonly<Record<string, unknown>> }
  | { readonly kind: "mistake"; readonly message: string };

const operandOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What is no JSON is text: nobody wants to type quotes.
    return text;
  }
};

/** `author = Ada and likes >= 3` as the `where` of a query. A text that begins with `{` is one already. */
export function rowFilter(text: string): RowFilter {
  if (text.trim() === "") return { kind: "none" };
  if (text.trimStart().startsWith("{")) return whereOfJson(text);
  const where: Record<string, Record<string, unknown>> = {};
  for (const part of text.split(/\s+and\s+/iu)) {
    const [, field, sign, operand] = CLAUSE.exec(part) ?? [];
    const operator = SIGNS[sign ?? ""];
    if (field === undefined || operator === undefined || operand === undefined) {
      return {
        kind: "mistake",
        message: `\`${part.trim()}\` is no condition. Write \`field = value\`; also !=, <, <=, >, >=, ~.`,
      };
    }
    where[field] = { ...where[field], [operator]: operandOf(operand) };
  }
  return { kind: "where", where };
}

function whereOfJson(text: string): RowFilter {
  try {
    return { kind: "where", where: JSON.parse(text) as Record<string, unknown> };
  } catch (error) {
    return { kind: "mistake", message: `This is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
