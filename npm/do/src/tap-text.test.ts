import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { cut, cutJson, withWholeCharacters } from "../tap/bounded-text.ts";
import { toldOf } from "../tap/event-text.ts";
import { toldBriefly, toldGroup } from "../tap/group-text.ts";
import { eventsOfGroup } from "../testing/group-events.ts";
import type { Loose } from "../testing/loose.ts";
import { isolatedChange, tappedGroup } from "../testing/tapped-group.ts";

/** What the inspector reads in its own tests. */
const FIXTURE = new URL("../../../crates/lunora_inspector/tests/payloads/group.json", import.meta.url);

test("a text is cut between characters", () => {
  expect(cut("a😀b", 2)).toBe("a");
  expect(cut("a😀b", 3)).toBe("a😀");
  expect(JSON.parse(cutJson("a😀b", 2))).toBe("a");
});

test("half a character becomes a sign of its own, and nothing else is touched", () => {
  for (const [text, whole] of [
    ["plain", "plain"],
    ["\ud83d", "\ufffd"],
    ["a\udc00b\\ud83d", "a\ufffdb\\ud83d"],
    ["\\\\\ud83d \\", "\\\\\ufffd \\"],
    ["😀 \\udc00", "😀 \\udc00"],
  ] as const)
    expect(JSON.parse(withWholeCharacters(JSON.stringify({ text })))).toEqual({ text: whole });
  const log = toldOf({ type: "log", at: 1, level: "log", text: "half \udc00" });
  expect(JSON.parse(log.line as string).text).toBe("half \ufffd");
});

test("a group is the line that the inspector understands", () => {
  const { line, events } = toldGroup(tappedGroup());
  expect(`${line as string}\n`).toBe(readFileSync(FIXTURE, "utf8"));
  expect(events).toBe(eventsOfGroup(JSON.parse(line as string) as Loose).length);
});

test("what was told before the clock ran has the time at which it leaves", () => {
  const { line, weight } = toldOf({ type: "log", at: 0, level: "log", text: "early" });
  const written = (line as (now: number) => string)(5);
  expect(JSON.parse(written)).toEqual({ type: "log", at: 5, level: "log", text: "early" });
  expect(weight).toBe(written.length);
});

test("a group among too many says that it was committed, and where", () => {
  const group = tappedGroup();
  const { line, events } = toldBriefly(group);
  expect(events).toBe(1);
  const { at, object, flush } = group;
  const { epoch, fromSeq, toSeq, changes } = flush;
  const omitted = changes.length;
  expect(eventsOfGroup(JSON.parse(line as string) as Loose)).toEqual([
    {
      type: "commit",
      at,
      object,
      epoch,
      fromSeq,
      toSeq,
      by: "calls",
      calls: [],
      changes: [],
      omitted,
      omittedCalls: 4,
    },
  ]);
});

test("what is long is cut where it is, and only so many changes are told", () => {
  const group = tappedGroup();
  const long = {
    ...group,
    calls: group.calls.map((call) => ({ ...call, args: { text: "x".repeat(10_000) } })),
    flush: { ...group.flush, changes: Array.from({ length: 250 }, (_, n) => isolatedChange(n, "y".repeat(9_000))) },
  };
  const { line, weight } = toldGroup(long);
  expect((line as string).length).toBe(weight);
  const events = eventsOfGroup(JSON.parse(line as string) as Loose);
  const [call] = events;
  expect([call.isCut, call.args.length]).toEqual([true, 4_096]);
  const commit = events.find(({ type }) => type === "commit");
  expect([commit.changes.length, commit.omitted, commit.changes[7].isCut]).toEqual([200, 50, true]);
  expect(commit.changes[7].after).toHaveLength(8_192);
});
