import type { JSX } from "preact";

/** Strokes on a grid of 16. */
const PATHS = {
  overview: "M2 7.5 8 2l6 5.5V14H9.5v-4h-3v4H2Z",
  shards: "M2 3h5v5H2ZM9 3h5v5H9ZM2 10h5v4H2ZM9 10h5v4H9Z",
  oplog: "M3 3h10M3 6.5h10M3 10h6M3 13.5h4M11 10v4m-2-2 2 2 2-2",
  pokes: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8Z",
  shapes: "M5 2a3.2 3.2 0 1 1 0 6.4A3.2 3.2 0 0 1 5 2ZM8.5 8.5H14V14H8.500Z",
  clients: "M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2.500 14c.5-3 2.500-4.500 5.500-4.500s5 1.500 5.500 4.500",
  data: "M2 3.500h12v9H2ZM2 6.500h12M6.500 6.500v6",
  functions: "M5.500 3 2 8l3.500 5M10.500 3 14 8l-3.500 5",
  scheduled: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM8 4.500V8l2.500 1.500",
  queues: "M2 4h12M2 8h12M2 12h8",
  residency: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM2 8h12M8 2c-4 4-4 8 0 12M8 2c4 4 4 8 0 12",
  mail: "M2 3.500h12v9H2ZM2 4l6 5 6-5",
  schema: "M5.500 2h5v4h-5ZM2 10h4.500v4H2ZM9.500 10H14v4H9.500ZM8 6v2M4 10V8h8v2",
  logs: "M3 4l3 3-3 3M8 11.500h5",
  faults:
    "M9.500 1.500 7.500 6 10 8.500 7.500 14.500M3 4.500 5 7M2.500 10.500 5 9.500M13 4.500 11.500 6M13.500 10.500 11.500 9.500",
  ok: "m3 8.500 3.500 3.500L13 4.500",
  warning: "M8 2 14.500 13.500h-13ZM8 6.500v3M8 11.500v.500",
  error: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2ZM5.500 5.500l5 5m0-5-5 5",
  awake:
    "M8 4.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7ZM8 .800v1.500M8 13.700v1.500M.800 8h1.500M13.700 8h1.500",
  asleep: "M11.500 10A5 5 0 0 1 6 3.500a5 5 0 1 0 5.500 6.500Z",
  added: "M8 3v10M3 8h10",
  removed: "M3 8h10",
  changed: "M3 6h10M3 10h10",
  same: "M6.500 8h3",
  pause: "M5.500 3v10M10.500 3v10",
  play: "M4.500 3 12.500 8l-8 5Z",
  menu: "M2 4.500h12M2 8h12M2 11.500h12",
  close: "M4 4l8 8m0-8-8 8",
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside a word; never without one. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
