import type { ComponentChildren, JSX } from "preact";

interface Props {
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of a page, with a heading. */
export function Section({ title, tools, children }: Props): JSX.Element {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}
