import { expect, it } from "vitest";

import tableText from "../../../crates/lunora_diagnostics/codes.json?raw";
import { STATUS_BY_CODE } from "./codes.ts";
import { statusOf } from "./lunora-error.ts";
import { helpOf } from "./help.ts";
import { HELP_BY_CODE } from "./help-texts.ts";

const table = JSON.parse(tableText) as Record<string, { explanation: string; help: string; status?: number }>;
const withStatus = Object.entries(table).filter(([, entry]) => entry.status !== undefined);

it("is current: `node npm/errors/generate.mjs` writes it", () => {
  const sorted = withStatus.toSorted(([left], [right]) => (left < right ? -1 : 1));
  expect(Object.entries(STATUS_BY_CODE)).toEqual(sorted.map(([code, { status }]) => [code, status]));
  for (const [code, { status }] of withStatus) expect([code, statusOf(code)]).toEqual([code, status]);
  expect(Object.entries(HELP_BY_CODE)).toEqual(sorted.map(([code, { help }]) => [code, help]));
});

it("has help for the codes of the table and for no other name", () => {
  expect(helpOf("CONFLICT")).toBe(table["CONFLICT"]?.help);
  expect([helpOf("OUT_OF_STOCK"), helpOf("toString")]).toEqual([undefined, undefined]);
});

it.each(withStatus)("%s has an error status and texts that end as sentences", (_, { status, explanation, help }) => {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(explanation).toMatch(/\.$/);
  expect(help).toMatch(/\.$/);
});
