import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { now } from "../store/clock.ts";
import { theme } from "../store/theme.ts";
import { rates } from "../store/timeline.ts";
import type { RatePlot } from "./rate-plot.ts";

/** Mutations per second of an object, or of `*` all, over two minutes. What draws is loaded when it is needed. */
export function RateChart({ object }: { readonly object: string }): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<RatePlot | undefined>(undefined);
  const [mistake, setMistake] = useState<string>();
  const chosen = theme.value;
  useEffect(() => {
    let isWanted = true;
    import("./rate-plot.ts")
      .then(({ drawRates }) => {
        if (isWanted && element.current !== null) plot.current = drawRates(element.current, object);
      })
      .catch((error: unknown) => setMistake(String(error)));
    return () => {
      isWanted = false;
      plot.current?.remove();
      plot.current = undefined;
    };
  }, [object, chosen]);
  const time = now.value;
  useEffect(() => plot.current?.show(time), [time, object]);
  const current = rates.current(object, time);
  return (
    <figure class="chart">
      <figcaption>
        Mutations per second, two minutes: now <strong>{Math.round(current * 10) / 10}</strong>
      </figcaption>
      {mistake === undefined ? (
        <div ref={element} class="plot" aria-hidden="true" />
      ) : (
        <p class="hint">The chart cannot be drawn here: {mistake}</p>
      )}
    </figure>
  );
}
