import { expect, test } from "vitest";
import { interleave, turnsOf } from "./interleave.mjs";

test("subjects take turns, and the warm-up does not count", async () => {
  const turns = [];
  let value = 0;
  const subject = (name) => [
    name,
    async () => {
      turns.push(name);
      value += 1;
      return value;
    },
  ];
  const outcomes = await interleave(new Map([subject("ours"), subject("a"), subject("b")]), { runs: 2, warmUp: 1 });
  expect(turns.join(" ")).toBe("ours a b a b ours b ours a");
  expect(outcomes.get("ours")).toEqual({ samples: [6, 8] });
  expect(outcomes.get("b")).toEqual({ samples: [5, 7] });
});

test.each([2, 3, 4])("of %d subjects each follows every other about as often", (count) => {
  const subjects = Array.from({ length: count }, (_, index) => index);
  const order = Array.from({ length: count * 20 }, (_, round) => turnsOf(subjects, round)).flat();
  for (const subject of subjects) {
    const before = order.flatMap((other, place) => (other === subject && place > 0 ? [order[place - 1]] : []));
    for (const other of subjects) {
      if (other === subject) continue;
      expect(before.filter((name) => name === other).length / before.length).toBeGreaterThan(0.5 / count);
    }
  }
});

test("never are two subjects measured at once", async () => {
  let running = 0;
  const sample = async () => {
    running += 1;
    expect(running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return 1;
  };
  const outcomes = await interleave(
    new Map([
      ["ours", sample],
      ["a", sample],
    ]),
    { runs: 3, warmUp: 0 },
  );
  expect([...outcomes.values()].every((outcome) => outcome.failure === undefined && outcome.samples.length === 3)).toBe(
    true,
  );
});

test("a subject that throws drops out with its reason, the others go on", async () => {
  let calls = 0;
  const failing = async () => {
    calls += 1;
    if (calls === 2) throw new Error("port taken");
    return 1;
  };
  const outcomes = await interleave(
    new Map([
      ["ours", async () => 5],
      ["a", failing],
    ]),
    { runs: 4, warmUp: 0 },
  );
  expect(calls).toBe(2);
  expect(outcomes.get("a")?.failure).toBe("port taken");
  expect(outcomes.get("ours")?.samples).toEqual([5, 5, 5, 5]);
});

test("a sample that is no number is a failure", async () => {
  const outcomes = await interleave(new Map([["a", async () => Number.NaN]]), { runs: 1, warmUp: 0 });
  expect(outcomes.get("a")?.failure).toContain("`NaN`");
});
