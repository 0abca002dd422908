// A move of an app that is reached through a proxy which speaks TLS: the server itself knows its loopback address only.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { Server } from "node:https";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort } from "../support/free-port.mjs";
import { Rehearsal, TOKEN } from "./rehearsal.ts";

let rehearsal: Rehearsal;
let proxy: Server | undefined;

afterEach(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await rehearsal.end();
});

/** A proxy in front of the server; resolves with its address. Its certificate is `proxy.pem` in the app. */
async function standInFront(): Promise<string> {
  const { app, url } = rehearsal;
  const certificate = app.path("proxy.pem");
  const key = app.path("proxy.key");
  const wanted =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost " +
    "-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
  execFileSync("openssl", [...wanted.split(" "), "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const port = await freePort();
  proxy = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (incoming, outgoing) => {
    const { method = "GET", headers } = incoming;
    const passed = request(new URL(incoming.url ?? "/", url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.once("error", () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy?.listen(port, "127.0.0.1", resolve));
  return `https://localhost:${port}`;
}

async function build(): Promise<void> {
  const program = rehearsal.app.run("vite", ["build"]);
  expect(await program.ended(), program.output).toBe(0);
}

test("export, import and its proof go through the proxy; the server takes the receipt when it knows the proxy's host", async () => {
  rehearsal = await Rehearsal.begin();
  const { app } = rehearsal;
  await build();
  await rehearsal.start("--allowed-hosts", "localhost");
  await rehearsal.launch("Argo", "Beagle");
  await rehearsal.write("Argo", "one", "two");
  const url = await standInFront();
  const lunora = (line: string): Promise<string> =>
    rehearsal.done(
      `NODE_EXTRA_CA_CERTS=${join(app.folder, "proxy.pem")} LUNORA_ADMIN_TOKEN=${TOKEN} lunora ${line} --prod --url ${url}`,
    );
  await lunora("export --out backup.ndjson");
  const before = rehearsal.tablesOf("backup.ndjson");
  expect(before["ships"]?.rows).toBe(2);
  await rehearsal.stop();

  rehearsal.declare("eu");
  await build();
  const refused = rehearsal.starting("--allow-schema-drift");
  expect(await refused.ended()).toBe(3);
  expect(refused.output).toContain("JURISDICTION_STRANDS_DATA");
  expect(refused.output).toContain(`is of an export from \`${url}\``);
  expect(refused.output).toContain("--allowed-hosts");
  const elsewhere = rehearsal.starting("--allow-schema-drift", "--allowed-hosts", "other.example");
  expect(await elsewhere.ended()).toBe(3);

  await rehearsal.start("--allow-schema-drift", "--allowed-hosts", "localhost");
  expect((await rehearsal.rows("Argo")).ships).toEqual([]);
  await lunora("import backup.ndjson --yes");
  expect(await lunora("import backup.ndjson --verify")).toContain("same on both sides");
  expect(await rehearsal.held()).toEqual(before);
});
