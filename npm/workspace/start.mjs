// `npm start`: installs and builds what is missing, then runs the chat playground under `vite dev`.
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { bin, root } from "./lib/paths.mjs";
import { prepare } from "./lib/prepare.mjs";
import { main } from "./lib/run.mjs";

await main(prepare);

const vite = spawn(bin("vite"), ["dev", ...process.argv.slice(2)], {
  cwd: join(root, "playground", "chat"),
  stdio: "inherit",
});
// The terminal sends Ctrl-C to the whole group; Vite shuts down by itself and this script reports its code.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    if (signal === "SIGTERM") vite.kill(signal);
  });
}
vite.once("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
