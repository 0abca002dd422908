// `npm run build`: the native addon and every package.
import { prepare } from "./lib/prepare.mjs";
import { main } from "./lib/run.mjs";

await main(prepare);
