import { describe, expect, it } from "vitest";

import fixtureText from "../../../tests/fixtures/presence-frames.json?raw";
import { checkRoom, parsePresenceFrame } from "./presence-frames.ts";

const { client } = JSON.parse(fixtureText) as {
  readonly client: {
    readonly valid: readonly { readonly name: string; readonly text: string; readonly frame: object }[];
    readonly invalid: readonly { readonly name: string; readonly text: string; readonly code: string }[];
  };
};

describe("golden frames of a page in a room", () => {
  it.each(client.valid)("$name", ({ text, frame }) => {
    expect(parsePresenceFrame(text)).toEqual(frame);
  });

  it.each(client.invalid)("refuses $name", ({ text, code }) => {
    expect(() => parsePresenceFrame(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe("the name of a room", () => {
  it.each(["general", "ä/b:c", "x".repeat(1024)])("may be %s", (name) => {
    expect(checkRoom(name)).toBe(name);
  });

  it.each([null, "", 1, "x".repeat(1025), "\ud800"])("is not %s", (name) => {
    expect(() => checkRoom(name)).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }));
  });
});
