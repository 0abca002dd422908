import { spawn } from "node:child_process";

/** What CommonJS modules export, by file, and why that is not known of others. */
export interface CommonJsNames {
  names: Record<string, string[]>;
  failures: Record<string, string>;
}

const timeLimit = 10_000;

/** Runs in a process of its own: what a CommonJS module exports is known only when it has run. */
const script = `
import { writeSync } from "node:fs";
const names = {}, failures = {};
for (const file of process.argv.slice(1)) {
  try {
    const { default: value } = await import(file);
    const holdsNames = (typeof value === "object" && value !== null) || typeof value === "function";
    names[file] = holdsNames ? Object.keys(value) : [];
  } catch (error) {
    failures[file] = String(error);
  }
}
writeSync(3, JSON.stringify({ names, failures }));
process.exit(0);
`;

function runAll(files: readonly string[]): Promise<CommonJsNames> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script, "--", ...files], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      timeout: timeLimit,
      killSignal: "SIGKILL",
    });
    const read = (position: 2 | 3): (() => string) => {
      const parts: Buffer[] = [];
      child.stdio[position]?.on("data", (part: Buffer) => parts.push(part));
      return () => Buffer.concat(parts).toString();
    };
    const [complaints, answer] = [read(2), read(3)];
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (answer() !== "") resolve(JSON.parse(answer()) as CommonJsNames);
      else {
        const why = complaints().trim() || `the process ended with ${code ?? signal}`;
        resolve({ names: {}, failures: Object.fromEntries(files.map((file) => [file, why])) });
      }
    });
  });
}

/**
 * The property names of the default exports of these bundled modules (`file:` URLs).
 *
 * They are run in Node for that, as a server-side renderer would run them; each alone when one fails, because what
 * it leaves half done can be part of another.
 */
export async function commonJsNames(files: readonly string[]): Promise<CommonJsNames> {
  const together = await runAll(files);
  if (files.length < 2 || Object.keys(together.failures).length === 0) return together;
  const alone: CommonJsNames = { names: {}, failures: {} };
  for (const file of files) {
    const { names, failures } = await runAll([file]);
    Object.assign(alone.names, names);
    Object.assign(alone.failures, failures);
  }
  return alone;
}

const isIdentifier = (name: string): boolean => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);

/**
 * A module that exports what the CommonJS module `file` holds, under its names.
 *
 * `default` is the whole, as for Node; or, in a project whose files are not declared to be ES modules, what was
 * compiled from an `export default`. The production bundler decides in the same way.
 */
export function commonJsEntry(file: string, names: readonly string[], isModuleProject: boolean): string {
  const exported = names.filter((name) => isIdentifier(name) && name !== "default" && name !== "__esModule");
  const whole = isModuleProject ? "all" : "all?.__esModule ? all.default : all";
  return [
    `import all from ${JSON.stringify(file)};`,
    `export default ${whole};`,
    ...exported.map((name, index) => `const _${index} = all[${JSON.stringify(name)}];`),
    ...(exported.length > 0 ? [`export { ${exported.map((name, index) => `_${index} as ${name}`).join(", ")} };`] : []),
    "",
  ].join("\n");
}
