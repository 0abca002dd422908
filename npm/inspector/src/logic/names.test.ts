import { expect, test } from "vitest";
import { addressLine, personLabel, shardLabel, shortId } from "./names.ts";

test.each([
  ["__root__", "root"],
  ["messages:general", "messages / general"],
  ["messages:a:b", "messages / a:b"],
  ["channelId=a:b=c", "channelId / a:b=c"],
  ["channelId=a%2Fb%20c", "channelId / a/b c"],
  ["channelId=100%", "channelId / 100%"],
  ["plain", "plain"],
])("%s reads %s", (name, label) => expect(shardLabel(name)).toBe(label));

test("only long ids are cut", () => {
  expect(shortId("short")).toBe("short");
  expect(shortId("0123456789abcdef")).toBe("0123456789…");
});

test("nobody is anonymous, and addresses are one line", () => {
  expect(personLabel(null)).toBe("anonymous");
  expect(personLabel("ada")).toBe("ada");
  expect(addressLine(["a@x", "b@x"])).toBe("a@x, b@x");
  expect(addressLine(undefined)).toBe("");
});
