// Plain, dependency-free terminal output: these scripts run before anything is installed.
import process from "node:process";

const colour = process.env.NO_COLOR === undefined && (process.stderr.isTTY || process.env.FORCE_COLOR !== undefined);
const paint = (code) => (text) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

/** Writes a line to standard error, where progress belongs. */
export function say(line = "") {
  process.stderr.write(`${line}\n`);
}

/** Ends the process with a message that says what unblocks it. */
export function fail(message, help) {
  say(`${red("error")} ${message}`);
  if (help) say(`${cyan("help")}  ${help}`);
  process.exit(1);
}

/** `1.2 s`, `340 ms`. */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
