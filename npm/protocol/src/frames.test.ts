import { describe, expect, it } from "vitest";

import fixtureText from "../../../tests/fixtures/frames.json?raw";
import type { ClientFrame, ServerFrame } from "./frames.ts";
import { parseFrame } from "./parse-frame.ts";

interface Cases<Frame> {
  readonly valid: readonly { readonly name: string; readonly text: string; readonly frame: Frame }[];
  readonly invalid: readonly { readonly name: string; readonly text: string; readonly code: string }[];
}

const { client } = JSON.parse(fixtureText) as {
  readonly client: Cases<ClientFrame>;
  readonly server: Cases<ServerFrame>;
};

/** As JSON, where a key called `__proto__` is a key like any other. */
const json = (value: unknown): string => JSON.stringify(value);

/** The frame with the fields that `like` has. */
function pick(frame: object, like: object): object {
  return Object.fromEntries(Object.entries(frame).filter(([field]) => Object.hasOwn(like, field)));
}

describe("golden frames of a client", () => {
  it.each(client.valid)("$name", ({ text, frame }) => {
    const ordered = (fields: object): [string, unknown][] => Object.entries(fields).toSorted();
    expect(json(ordered(pick(parseFrame(text), frame)))).toBe(json(ordered(frame)));
    expect(json(parseFrame(json(frame)))).toBe(json(frame));
  });

  it.each(client.invalid)("refuses $name", ({ text, code }) => {
    expect(() => parseFrame(text)).toThrow(expect.objectContaining({ code }));
  });
});
