import { LunoraError } from "@lunora/errors";
import type { LunoraDefinition } from "@lunora/server";

import type { ShapePart } from "./live-host.ts";

/** Refuses every shape: what shards of an app without shapes have. */
export function noShapes({ shapes = {} }: LunoraDefinition): ShapePart {
  const refuse = async (name: string): Promise<never> => {
    throw Object.hasOwn(shapes, name)
      ? new Error(`the app has the shape \`${name}\`, but its definition has no \`shaping\`: run codegen again`)
      : new LunoraError("SHAPE_NOT_FOUND", `there is no shape \`${name}\``, { data: { name } });
  };
  return {
    groups: [],
    mirrored: [],
    find: refuse,
    ask: refuse,
    subscribe: (_, { shape }) => refuse(shape.name),
    unsubscribe: () => {},
    close: () => {},
    flush: async () => {},
    saved: () => [],
    // Of a time when the app had shapes.
    restore: async (_, [first]) => {
      if (first !== undefined) await refuse(first.name);
    },
  };
}
