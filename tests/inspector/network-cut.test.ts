// Development with the network cut: nothing is missing, and nothing even tries to get out. The walk itself is in
// `network-cut/`, and runs in a process of its own, in a network that has nothing but loopback.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Program } from "../support/app.ts";
import { folderForIt, whyNotCut, withoutNetwork } from "../support/network-cut/namespace.ts";

const folder = folderForIt();
const why = whyNotCut(folder);
const here = dirname(fileURLToPath(import.meta.url));
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const walk = [process.execPath, vitest, "run", "--config", join(here, "network-cut", "vitest.config.ts")];

afterAll(() => rmSync(folder, { recursive: true }));

// A machine that refuses namespaces says so in the name of what it holds instead, and why.
const [network, claim] =
  why === undefined
    ? ["cut", "with the network cut everything works, and the kernel counts no attempt to get out"]
    : ["watched", `WEAKER, the network could not be cut (${why}): no socket that leads out was seen`];

test(`${claim}`, { timeout: 600_000 }, async () => {
  const [command, ...rest] = why === undefined ? withoutNetwork(folder, walk) : (walk as [string, ...string[]]);
  const program = new Program(command, rest, join(here, "network-cut"), {
    LUNORA_TEST_NETWORK: network,
  });
  expect(await program.ended(), program.output).toBe(0);
  // A run without tests ends with 0 as well.
  expect(program.output).toMatch(/Tests {2}\d+ passed/);
});
