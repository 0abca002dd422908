// `npm run lint`: formatting, lints and types, in Rust and TypeScript.
import { lint } from "./lib/lint.mjs";
import { prepare } from "./lib/prepare.mjs";
import { main } from "./lib/run.mjs";

await main(async () => {
  await prepare();
  await lint();
});
