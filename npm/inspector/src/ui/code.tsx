import type { JSX } from "preact";

/** Text as it is, which scrolls within itself and can be copied. */
export function Code({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  return (
    <figure class="code-block">
      <figcaption>{label}</figcaption>
      <pre tabIndex={0} aria-label={label} role="group">
        <code>{text}</code>
      </pre>
    </figure>
  );
}
