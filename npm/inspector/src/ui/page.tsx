import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { announce } from "../store/announcer.ts";

interface Props {
  readonly title: string;
  /** What leads here: addresses and their names. */
  readonly trail?: readonly (readonly [string, string])[];
  readonly tools?: ComponentChildren;
  /** Whether a list takes all of the height. */
  readonly isFull?: boolean;
  readonly children: ComponentChildren;
}

/** A view: its heading, its tools, what it shows. */
export function Page({ title, trail = [], tools, isFull = false, children }: Props): JSX.Element {
  useEffect(() => {
    announce(title);
    document.title = `${title} · Lunora inspector`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div class="page-title">
          {trail.length > 0 && (
            <nav aria-label="Where this is" class="trail">
              {trail.map(([address, name]) => (
                <a key={address} href={address}>
                  {name}
                </a>
              ))}
            </nav>
          )}
          <h1>{title}</h1>
        </div>
        {tools !== undefined && <div class="tools">{tools}</div>}
      </header>
      <div class={isFull ? "page full" : "page"}>{children}</div>
    </>
  );
}
