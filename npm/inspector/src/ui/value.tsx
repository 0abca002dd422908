import type { JSX } from "preact";

/** A value in one line. */
export function lineOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A value of a document in one line; texts have quotes, so that `"1"` is not `1`. */
export function Value({ value }: { readonly value: unknown }): JSX.Element {
  const kind = value === null || value === undefined ? "null" : typeof value;
  return (
    <code class="value" data-kind={kind}>
      {value === undefined ? "–" : JSON.stringify(value)}
    </code>
  );
}
