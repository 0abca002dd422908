import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isDisturbance } from "../logic/fault-text.ts";
import { plural } from "../logic/format.ts";
import { now } from "../store/clock.ts";
import { theme } from "../store/theme.ts";
import { rates } from "../store/timeline.ts";
import { useEvents } from "../store/use-events.ts";
import type { RatePlot } from "./rate-plot.ts";

/** What the chart shows, milliseconds. */
const SPAN = 120_000;

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
  const faults = useEvents(
    `chart:${object}`,
    ["fault"],
    (event) => isDisturbance(event) && (object === "*" || event.object === undefined || event.object === object),
  );
  const recent = faults.filter(({ at }) => at > time - SPAN).map(({ at }) => at);
  useEffect(() => plot.current?.show(time, recent), [time, object, recent.length]);
  const current = rates.current(object, time);
  return (
    <figure class="chart">
      <figcaption>
        Mutations per second, two minutes: now <strong>{Math.round(current * 10) / 10}</strong>
        {recent.length > 0 && (
          <>
            {" "}
            · <a href="/faults">{plural(recent.length, "fault")}</a>, a dashed line each
          </>
        )}
      </figcaption>
      {mistake === undefined ? (
        <div ref={element} class="plot" aria-hidden="true" />
      ) : (
        <p class="hint">The chart cannot be drawn here: {mistake}</p>
      )}
    </figure>
  );
}
