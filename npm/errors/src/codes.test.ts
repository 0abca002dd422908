import { expect, it } from "vitest";

import tableText from "../../../crates/lunora_diagnostics/codes.json?raw";
import { HELP_BY_CODE, STATUS_BY_CODE } from "./codes.ts";
import { statusOf } from "./error.ts";

const table = JSON.parse(tableText) as Record<string, { explanation: string; help: string; status?: number }>;
const withStatus = Object.entries(table).filter(([, entry]) => entry.status !== undefined);

it("is current: `node npm/errors/generate.mjs` writes it", () => {
  const sorted = withStatus.toSorted(([left], [right]) => (left < right ? -1 : 1));
  expect(Object.entries(STATUS_BY_CODE)).toEqual(sorted.map(([code, { status }]) => [code, status]));
  for (const [code, { status }] of withStatus) expect([code, statusOf(code)]).toEqual([code, status]);
  expect(Object.entries(HELP_BY_CODE)).toEqual(sorted.map(([code, { help }]) => [code, help]));
});

it.each(withStatus)("%s has an error status and texts that end as sentences", (_, { status, explanation, help }) => {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(explanation).toMatch(/\.$/);
  expect(help).toMatch(/\.$/);
});
