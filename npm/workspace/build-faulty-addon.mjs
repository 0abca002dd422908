// `node npm/workspace/build-faulty-addon.mjs FOLDER`: an addon for tests of what happens to a panic.
import process from "node:process";
import { buildFaultyAddon } from "./lib/native.mjs";
import { main } from "./lib/run.mjs";

await main(() => buildFaultyAddon(process.argv[2]));
