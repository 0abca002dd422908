import type { Diagnostic } from "@lunora/native";
import { expect, test } from "vitest";
import { hasErrors, overlayPayload } from "./overlay.ts";

const at = { offset: 3, line: 2, column: 4 };
const error: Diagnostic = {
  code: "UNKNOWN_TABLE",
  severity: "error",
  message: "`mesages` is not a table.",
  help: "Did you mean `messages`?",
  labels: [{ file: "lunora/a.ts", message: null, start: at, end: at, frame: "2 | x" }],
};

test("shows the first error with its place and frame", () => {
  expect(overlayPayload("/app", [{ ...error, severity: "warning" }, error, error])).toEqual({
    type: "error",
    err: {
      plugin: "lunora",
      message:
        "UNKNOWN_TABLE: `mesages` is not a table.\n\nDid you mean `messages`?\n\nand 1 more; the terminal shows all.",
      stack: "",
      id: "/app/lunora/a.ts",
      frame: "2 | x",
      loc: { file: "/app/lunora/a.ts", line: 2, column: 4 },
    },
  });
});

test("has nothing to show for warnings", () => {
  expect(overlayPayload("/app", [{ ...error, severity: "warning" }])).toBeUndefined();
});

test("an error without a place has no frame", () => {
  expect(overlayPayload("/app", [{ ...error, labels: [], help: null }])?.err).toEqual({
    plugin: "lunora",
    message: "UNKNOWN_TABLE: `mesages` is not a table.",
    stack: "",
  });
});

test("an error in a file whose text is not at hand names the file alone", () => {
  const label = { file: ".dev.vars", message: null, start: null, end: null, frame: null };
  expect(overlayPayload("/app", [{ ...error, labels: [label], help: null }])?.err).toEqual({
    plugin: "lunora",
    message: "UNKNOWN_TABLE: `mesages` is not a table.",
    stack: "",
    id: "/app/.dev.vars",
  });
});

test("warnings alone keep nothing from being served", () => {
  expect(hasErrors([{ ...error, severity: "warning" }])).toBe(false);
  expect(hasErrors([{ ...error, severity: "warning" }, error])).toBe(true);
});
