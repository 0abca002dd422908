import { expect, test } from "vitest";
import { editedFunctionFile, functionFile, moduleName, probePath, tableCount } from "./function-file.mjs";

test("the same number of files gives the same bytes", () => {
  expect(functionFile(7, 100)).toBe(functionFile(7, 100));
});

test("a thousand files are the 2.2 MB and 5,000 functions that the figures are about", () => {
  const texts = Array.from({ length: 1000 }, (_, index) => functionFile(index, 1000));
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  expect(bytes / 1e6).toBeCloseTo(2.2, 1);
  expect(texts.every((text) => text.match(/^export const /gm)?.length === 5)).toBe(true);
});

test("files only touch tables that there are", () => {
  for (const files of [1, 100, 1000]) {
    for (let index = 0; index < files; index += 1) {
      for (const [, table] of functionFile(index, files).matchAll(/"tasks_(\d+)"/g))
        expect(Number(table)).toBeLessThan(tableCount(files));
    }
  }
});

test("the probe is in the first file and reads the leaf module", () => {
  expect(probePath).toBe(`${moduleName(0)}:probe`);
  expect(functionFile(0, 1)).toContain('import { revision } from "./settings.js"');
  expect(functionFile(1, 100)).not.toContain("settings");
});

test("an edit adds one function and leaves the rest", () => {
  const text = functionFile(3, 10);
  const edited = editedFunctionFile(3, 10, 4);
  expect(edited.startsWith(text)).toBe(true);
  expect(edited.match(/^export const /gm)).toHaveLength(6);
});
