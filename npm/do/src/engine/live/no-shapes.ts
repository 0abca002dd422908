import { LunoraError } from "@lunora/errors";
import type { LunoraDefinition } from "@lunora/server";

import type { ShapePart } from "./live-host.ts";

/** Refuses every shape: what shards of an app without shapes have. */
export function noShapes({ shapes = {} }: LunoraDefinition): ShapePart {
  const refusal = (name: string): Error =>
    Object.hasOwn(shapes, name)
      ? new Error(`the app has the shape \`${name}\`, but its definition has no \`shaping\`: run codegen again`)
      : new LunoraError("SHAPE_NOT_FOUND", `there is no shape \`${name}\``, { data: { name } });
  return {
    groups: [],
    find: async (name) => {
      throw refusal(name);
    },
    ask: async (name) => {
      throw refusal(name);
    },
    subscribe: async (_, { shape }) => {
      throw refusal(shape.name);
    },
    unsubscribe: () => {},
    close: () => {},
    flush: async () => {},
    saved: () => [],
    // Of a time when the app had shapes.
    restore: async (_, [first]) => {
      if (first !== undefined) throw refusal(first.name);
    },
  };
}
