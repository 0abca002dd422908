import { expect, test } from "vitest";

import { chooseRun } from "./choose-run.ts";
import type { KnownRun, RunChoice, WantedRun } from "./choose-run.ts";

const running: KnownRun = { generation: "g", isRunning: true, chunks: 3 };
const ended: KnownRun = { ...running, isRunning: false };
const start: RunChoice = { kind: "start" };
const interrupted: RunChoice = { kind: "interrupted" };
const join = (after: number): RunChoice => ({ kind: "join", after });

test.each<[string, WantedRun, KnownRun | undefined, RunChoice]>([
  ["nothing is known, nothing is named", {}, undefined, start],
  ["a run goes on", {}, running, join(0)],
  ["a run has ended", {}, ended, join(0)],
  ["a place without a run says nothing", { sinceChunk: 2 }, ended, join(0)],
  ["from the beginning", { generation: "g" }, running, join(0)],
  ["from a chunk on", { generation: "g", sinceChunk: 2 }, running, join(2)],
  ["from the last chunk on", { generation: "g", sinceChunk: 3 }, ended, join(3)],
  ["from a chunk that was never sent", { generation: "g", sinceChunk: 4 }, ended, interrupted],
  ["another run", { generation: "f", sinceChunk: 0 }, running, interrupted],
  ["a run that is not kept", { generation: "g", sinceChunk: 0 }, undefined, interrupted],
  ["in place of one that has ended", { replaces: "g" }, ended, start],
  ["in place of one that goes on", { replaces: "g" }, running, join(0)],
  ["in place of one that was replaced already", { replaces: "f" }, ended, join(0)],
  ["in place of one that is not kept", { replaces: "g" }, undefined, start],
  ["whoever has chunks wants the rest of them", { generation: "g", replaces: "g", sinceChunk: 1 }, ended, join(1)],
])("%s", (_, wanted, known, choice) => {
  expect(chooseRun(wanted, known)).toEqual(choice);
});
