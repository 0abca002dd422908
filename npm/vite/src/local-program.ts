import { ToolchainError } from "@lunora/native";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The manifest of a package as the app's own code would find it. */
function manifestOf(root: string, name: string): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    const manifest = join(folder, "node_modules", name, "package.json");
    if (existsSync(manifest)) return manifest;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * The script of a command that the app has installed, absolute; the command is named as its package. Throws
 * `LOCAL_TOOL_MISSING` when the app has not installed it.
 */
export function localProgram(root: string, name: string): string {
  const manifest = manifestOf(root, name);
  if (manifest !== undefined) {
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin?: string | Record<string, string> };
    const script = typeof bin === "string" ? bin : bin?.[name];
    if (script !== undefined) return join(dirname(manifest), script);
  }
  const message = `\`${name}\` is not installed in \`${root}\`, and the command runs it`;
  const help = `Install it: npm install --save-dev ${name}`;
  throw new ToolchainError({
    code: "LOCAL_TOOL_MISSING",
    message,
    help,
    rendered: `error[LOCAL_TOOL_MISSING]: ${message}\n  help: ${help}`,
  });
}
