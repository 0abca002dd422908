import { expect, test } from "vitest";
import { answerWithoutRunning, everyRow, parseCommandLine } from "./main.mjs";

test("every row of the plan that can be measured is there", () => {
  const ids = new Set(everyRow().rows.map((row) => row.id));
  for (const id of [
    "codegen-cold",
    "codegen-edit",
    "dev-cold",
    "dev-edit",
    "jurisdiction-call",
    "jurisdiction-cold",
    "jurisdiction-edit",
    "cli-start",
    "mutations",
    "poke-latency",
    "distinct-shapes",
    "fund-transfer",
    "pipelining",
    "socket-memory",
    "indexed-query",
    "inspector-latency",
    "inspector-paint",
    "client-size",
    "worker-size",
    "growth-subscribers",
  ]) {
    expect(ids).toContain(id);
  }
});

test("the list names rows, sizes and peers without measuring", () => {
  expect(answerWithoutRunning(parseCommandLine(["--list"]))).toContain("dev-cold (1000): start of the server");
  expect(answerWithoutRunning(parseCommandLine(["--help"]))).toContain("--only");
  expect(answerWithoutRunning(parseCommandLine(["--only", "dev-cold"]))).toBeUndefined();
});

test("an unknown option is refused", () => {
  expect(() => parseCommandLine(["--fast"])).toThrow("--fast");
});
