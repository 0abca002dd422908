// Programs in Rust that belong to the bench, built with the release profile.
import { root } from "./paths.mjs";
import { runToEnd } from "./process-group.mjs";
import { say } from "./say.mjs";

const buildLimit = 1_200_000;
/** @type {Map<string, Promise<string>>} */
const built = new Map();

/**
 * Cargo decides what is stale and says where the program is.
 *
 * @param {string} crate
 * @param {string} example
 * @returns {Promise<string>} its path
 */
export function cargoExample(crate, example) {
  let program = built.get(example);
  if (program === undefined) {
    program = build(crate, example);
    built.set(example, program);
  }
  return program;
}

async function build(crate, example) {
  say(`Building \`${example}\` of ${crate} (cargo, release)`);
  const { stdout } = await runToEnd(
    "cargo",
    ["build", "--release", "--quiet", "--package", crate, "--example", example, "--message-format=json"],
    { cwd: root, limit: buildLimit },
  );
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    const message = JSON.parse(line);
    if (message.reason === "compiler-artifact" && message.target.name === example && message.executable)
      return message.executable;
  }
  throw new Error(`cargo built no \`${example}\`.`);
}
