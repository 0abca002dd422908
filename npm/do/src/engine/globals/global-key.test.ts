import { expect, test } from "vitest";

import type { MutationCall } from "../mutation-call.ts";
import { globalKey } from "./global-key.ts";

const ann = { userId: "ann" };
const of = (facts: Partial<MutationCall>, object = "__root__", timeline = "t"): string | undefined =>
  globalKey({ functionPath: "a:b", args: {}, identity: null, ...facts } as MutationCall, object, timeline);
const place = (clientId: string, clientSeq: number, userId: string | null = null): Partial<MutationCall> => ({
  place: { client: { userId, clientId }, clientSeq },
});

test("calls that are the same have the same key, wherever their numbers come from", () => {
  expect(of({})).toBeUndefined();
  expect(of({ mutationId: "m", identity: ann, ...place("c", 1, "ann") })).toBe(
    of({ mutationId: "m", identity: ann }, "other"),
  );
  expect(of({ mutationId: "m", ...place("c", 1) })).toBe(of({ mutationId: "m", ...place("c", 2) }));
  expect(of({ mutationId: "m", ...place("c", 1) })).toBe(
    of({ mutationId: "m", client: { userId: null, clientId: "c" } }),
  );
});

test("calls that differ have keys that differ", () => {
  const keys = [
    of({ jobId: "m" }),
    of({ mutationId: "m" }),
    of({ mutationId: "m", identity: ann }),
    of({ mutationId: "m", ...place("c", 1) }),
    of({ mutationId: "m", ...place("d", 1) }),
    of(place("c", 1)),
    of(place("c", 2)),
    of(place("d", 1)),
    of(place("c", 1, "ann")),
    of(place("c", 1), "room=a"),
    of(place("c", 1), "__root__", "after a restore"),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
