// `npm run bench`: Lunora beside its peers. `npm run bench -- --help` says what can be chosen.
import process from "node:process";
import { answerWithoutRunning, measure, parseCommandLine } from "../../tests/bench/main.mjs";
import { prepare } from "./lib/prepare.mjs";
import { main } from "./lib/run.mjs";
import { fail } from "./lib/terminal.mjs";

let options;
try {
  options = parseCommandLine(process.argv.slice(2));
} catch (error) {
  fail(error.message, "npm run bench -- --help");
}
const answer = answerWithoutRunning(options);
if (answer === undefined) {
  await main(prepare);
  process.exitCode = await measure(options);
} else {
  process.stdout.write(answer);
}
