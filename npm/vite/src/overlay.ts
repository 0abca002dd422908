import type { Diagnostic } from "@lunora/native";
import type { ErrorPayload } from "vite";
import { join } from "node:path";

/** The first error as Vite's overlay shows it; further ones are counted in the message. */
export function overlayPayload(root: string, diagnostics: readonly Diagnostic[]): ErrorPayload | undefined {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const [first] = errors;
  if (first === undefined) return undefined;
  const label = first.labels[0];
  const more = errors.length > 1 ? `\n\nand ${errors.length - 1} more; the terminal shows all.` : "";
  const help = first.help === null ? "" : `\n\n${first.help}`;
  const file = label === undefined ? undefined : join(root, label.file);
  return {
    type: "error",
    err: {
      plugin: "lunora",
      message: `${first.code}: ${first.message}${help}${more}`,
      stack: "",
      ...(label === undefined || file === undefined
        ? {}
        : {
            id: file,
            ...(label.frame === null ? {} : { frame: label.frame }),
            ...(label.start === null ? {} : { loc: { file, line: label.start.line, column: label.start.column } }),
          }),
    },
  };
}

/** Whether the newest code is not what is served; warnings alone keep nothing from being served. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
