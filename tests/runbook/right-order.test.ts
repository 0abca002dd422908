// The runbook as it is printed: an app goes from nowhere in particular to the European Union to the United States, with
// every row, what is known of its clients, and a device that was away all the time.
import { existsSync, readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { until } from "../support/app.ts";
import { Rehearsal, TOKEN } from "./rehearsal.ts";
import { Traveller, deviceStorage } from "./traveller.ts";

let rehearsal: Rehearsal;
const travellers: Traveller[] = [];

afterEach(async () => {
  for (const traveller of travellers.splice(0)) traveller.close();
  await rehearsal.end();
});

function visit(storage = deviceStorage()): Traveller {
  const traveller = new Traveller(rehearsal.url, storage);
  travellers.push(traveller);
  return traveller;
}

/** Steps 1 to 6, each as it is printed. */
async function move(to: string): Promise<void> {
  const { url, app } = rehearsal;
  await rehearsal.done(
    `LUNORA_ADMIN_TOKEN=${TOKEN} lunora export --prod --url ${url} --out backup.ndjson --tables ships,entries`,
  );
  const lines = Number.parseInt(await rehearsal.done("wc -l backup.ndjson"), 10);
  expect(lines).toBe(app.read("backup.ndjson").split("\n").length - 1);
  const before = rehearsal.tablesOf("backup.ndjson");
  expect(lines).toBeGreaterThan((before["ships"]?.rows ?? 0) + (before["entries"]?.rows ?? 0));

  rehearsal.declare(to);
  await rehearsal.done("lunora codegen");
  const uploads = rehearsal.uploads;
  const deployed = await rehearsal.done("lunora deploy --allow-schema-drift --update-schema-baseline");
  expect(deployed).toContain("covers what is");
  expect(rehearsal.uploads).toBe(uploads + 1);
  expect(JSON.parse(app.read("lunora/.lunora-schema.json"))).toMatchObject({ jurisdiction: to });
  await rehearsal.stop();
  await rehearsal.start("--allow-schema-drift");
  expect((await rehearsal.rows("Argo")).ships).toEqual([]);

  const imported = await rehearsal.atTerminal(
    `LUNORA_ADMIN_TOKEN=${TOKEN} lunora import backup.ndjson --prod --url ${url}`,
    "yes",
  );
  expect(imported.code, imported.output).toBe(0);
  expect(imported.output).toContain(`in the jurisdiction \`${to}\``);
  expect(imported.output).toContain("Counts and hashes are the same on both sides.");
  await rehearsal.done(`LUNORA_ADMIN_TOKEN=${TOKEN} lunora import backup.ndjson --prod --url ${url} --verify`);
  expect(await rehearsal.held()).toEqual(before);
  app.remove("backup.ndjson");
  app.remove("backup.ndjson.receipt.json");
}

test("none → eu → us, and a device that comes back after both", async () => {
  rehearsal = await Rehearsal.begin();
  const { app, url } = rehearsal;
  await rehearsal.done("lunora deploy");
  await rehearsal.start();
  await rehearsal.launch("Argo", "Beagle");
  await rehearsal.write("Argo", "from shore");
  await rehearsal.write("Beagle", "\u2028 and ü");

  // Two pages: one stays open, one is closed with its outbox full.
  const open = visit();
  await open.write("Argo", "acknowledged");
  const { answer } = await open.writeAndLoseAnswer("Argo", "stored, and nobody was told");
  expect((await rehearsal.rows("Argo")).entries["Argo"]).toContain("stored, and nobody was told");
  const waiting = [answer, open.launch("Cutty Sark"), open.write("Argo", "at sea"), open.write("Beagle", "at sea")];
  const storage = deviceStorage();
  const closed = visit(storage);
  await closed.launch("Dunbrody");
  closed.goOffline();
  void closed.launch("Endeavour").catch(() => {});
  void closed.write("Argo", "from a page that was closed").catch(() => {});
  await until("the device keeps both", async () => {
    const kept = JSON.stringify(await storage.list(""));
    return kept.includes("Endeavour") && kept.includes("from a page that was closed");
  });
  closed.close();

  await move("eu");
  await rehearsal.write("Argo", "in the union");
  await move("us");
  expect(readdirSync(app.path(".lunora/production")).sort()).toEqual(expect.arrayContaining(["eu", "none", "us"]));

  // The device is back: everything happens once, in its order.
  open.comeBack();
  await Promise.all(waiting);
  const again = visit(storage);
  const shown = again.follow("Argo");
  await again.settled();
  const argo = [
    "acknowledged",
    "at sea",
    "from a page that was closed",
    "from shore",
    "in the union",
    "stored, and nobody was told",
  ];
  await expect.poll(shown, { timeout: 60_000 }).toEqual(argo);
  expect(await rehearsal.rows("Argo", "Beagle")).toEqual({
    ships: ["Argo", "Beagle", "Cutty Sark", "Dunbrody", "Endeavour"],
    entries: { Argo: argo, Beagle: ["at sea", "\u2028 and ü"].sort() },
  });
  expect([open.reported, again.reported]).toEqual([[], []]);

  // A receipt counts for one move: the way back needs an export of its own.
  rehearsal.declare("eu");
  const back = await rehearsal.shell("lunora deploy --allow-schema-drift --update-schema-baseline");
  expect(back.code, back.output).toBe(3);
  expect(back.output).toContain("JURISDICTION_STRANDS_DATA");
  expect(existsSync(app.path(".lunora/receipts/used"))).toBe(true);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1/);
});
