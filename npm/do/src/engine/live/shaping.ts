import type { LiveHost, ShapePart } from "./live-host.ts";
import { LiveShapes } from "./live-shapes.ts";

/** Makes what answers subscriptions to shapes. `deadline` is that of a `where` and of its module, milliseconds. */
export type ShapingFactory = (host: LiveHost, deadline?: number) => ShapePart;

/** Gives shards their shapes, as a part of the app's definition: `{ schema, functions, shapes, shaping, app }`. */
export const shaping: ShapingFactory = (host, deadline) => new LiveShapes(host, deadline);
