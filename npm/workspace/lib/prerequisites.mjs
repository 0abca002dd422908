// What a machine must have before anything can be built, and the command that brings it.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fail } from "./terminal.mjs";

const minimumNode = [20, 19, 0];
const minimumRust = [1, 95, 0];

const atLeast = (found, minimum) => {
  for (let index = 0; index < minimum.length; index += 1) {
    if (found[index] !== minimum[index]) return found[index] > minimum[index];
  }
  return true;
};

const versionOf = (text) => (/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);

/** Ends the process with a message when Node, Rust or a linker is missing. */
export function checkPrerequisites() {
  if (!atLeast(versionOf(process.version), minimumNode)) {
    fail(
      `Node ${process.version} is too old: Lunora needs ${minimumNode.join(".")} or newer.`,
      "Install a newer Node from https://nodejs.org, or with a version manager: nvm install 22",
    );
  }
  const rust = spawnSync("rustc", ["--version"], { encoding: "utf8" });
  if (rust.error || rust.status !== 0) {
    fail(
      "No Rust toolchain was found (`rustc --version` did not run).",
      "Install one: curl https://sh.rustup.rs -sSf | sh",
    );
  }
  if (!atLeast(versionOf(rust.stdout), minimumRust)) {
    fail(
      `\`${rust.stdout.trim()}\` is too old: Lunora needs Rust ${minimumRust.join(".")} or newer.`,
      "Update it: rustup update stable",
    );
  }
  const linker = spawnSync("cc", ["--version"], { encoding: "utf8" });
  if (linker.error || linker.status !== 0) {
    fail(
      "No C linker was found (`cc --version` did not run); Rust needs one.",
      "On Debian or Ubuntu: sudo apt-get install build-essential. On macOS: xcode-select --install",
    );
  }
}
