// The runbook in wrong orders. Each stops before harm and says what to do; the right order still works afterwards.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rehearsal, TOKEN } from "./rehearsal.ts";
import type { End, Tables } from "./rehearsal.ts";

const DEPLOY = "lunora deploy --allow-schema-drift --update-schema-baseline";

let rehearsal: Rehearsal;
/** What the app holds before the move, and has to hold after it. */
let before: Tables;

beforeAll(async () => {
  rehearsal = await Rehearsal.begin();
  await rehearsal.done("lunora deploy");
  await rehearsal.start();
  await rehearsal.launch("Argo", "Beagle");
  await rehearsal.write("Argo", "one", "two");
  await rehearsal.write("Beagle", "three");
  before = await rehearsal.held();
});

afterAll(() => rehearsal.end());

function exporting(out: string, tables = "ships,entries", token = TOKEN): Promise<End> {
  return rehearsal.shell(
    `LUNORA_ADMIN_TOKEN=${token} lunora export --prod --url ${rehearsal.url} --out ${out} --tables ${tables}`,
  );
}

function importing(dump: string, token = TOKEN): Promise<End> {
  return rehearsal.atTerminal(`LUNORA_ADMIN_TOKEN=${token} lunora import ${dump} --prod --url ${rehearsal.url}`, "yes");
}

/** It failed with the code, and says what to do. */
function expectRefusal({ code, output }: End, exitCode: number, error: string, help: RegExp): void {
  expect(code, output).toBe(exitCode);
  expect(output).toContain(`error[${error}]`);
  expect(output).toMatch(help);
  expect(output).not.toContain(TOKEN);
}

const baseline = (): string => rehearsal.app.read("lunora/.lunora-schema.json");
const receipts = (): string[] => {
  const folder = rehearsal.app.path(".lunora/receipts");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
};

test("to a region that does not exist", async () => {
  expect(before).toMatchObject({ ships: { rows: 2 }, entries: { rows: 3 } });
  rehearsal.declare("eur");
  for (const line of ["lunora codegen", DEPLOY])
    expectRefusal(await rehearsal.shell(line), 2, "UNKNOWN_JURISDICTION", /`eu`/);
  expect(rehearsal.uploads).toBe(1);
});

test("deploy before export", async () => {
  rehearsal.declare("eu");
  await rehearsal.done("lunora codegen");
  const known = baseline();
  const stopped = await rehearsal.shell(DEPLOY);
  expectRefusal(
    stopped,
    3,
    "JURISDICTION_STRANDS_DATA",
    /lunora export --prod --url \S+ --out backup\.ndjson --tables entries,ships/,
  );
  expect(stopped.output).toContain("back to no .jurisdiction(…)");
  expect([rehearsal.uploads, baseline()]).toEqual([1, known]);

  // Somebody builds it and puts it where the data is.
  const built = rehearsal.app.run("vite", ["build"]);
  expect(await built.ended(), built.output).toBe(0);
  await rehearsal.stop();
  const start = rehearsal.starting("--allow-schema-drift");
  expectRefusal({ code: await start.ended(), output: start.output }, 3, "JURISDICTION_STRANDS_DATA", /lunora export/);
  expect(existsSync(rehearsal.app.path(".lunora/production/eu"))).toBe(false);

  // As it says: back to what was.
  rehearsal.declare(null);
  const again = rehearsal.app.run("vite", ["build"]);
  expect(await again.ended(), again.output).toBe(0);
  await rehearsal.start();
  expect(await rehearsal.held()).toEqual(before);
});

test("an export of a development server vouches for no deployment", async () => {
  const line = `LUNORA_ADMIN_TOKEN=${TOKEN} lunora export --url ${rehearsal.url} --out local.ndjson`;
  await rehearsal.done(line);
  rehearsal.declare("eu");
  expectRefusal(await rehearsal.shell(DEPLOY), 3, "JURISDICTION_STRANDS_DATA", /on this machine, without `--prod`/);
  expect(rehearsal.uploads).toBe(1);
  for (const name of receipts()) rehearsal.app.remove(`.lunora/receipts/${name}`);
});

test("with the wrong token, and with none", async () => {
  for (const token of [`${TOKEN}x`, "wrong"]) {
    const refused = await exporting("backup.ndjson", "ships,entries", token);
    expectRefusal(refused, 1, "UNAUTHORIZED", /LUNORA_ADMIN_TOKEN/);
    expect(refused.output).not.toContain(token);
  }
  expectRefusal(await exporting("backup.ndjson", "ships,entries", ""), 2, "TRANSFER_TOKEN_MISSING", /--token-file/);
  expect(readdirSync(rehearsal.app.folder).filter((name) => name.startsWith("backup"))).toEqual([]);
  expect(receipts()).toEqual([]);
});

test("an export that lacks a table", async () => {
  expectRefusal(await exporting("typo.ndjson", "ships,entrys"), 1, "UNKNOWN_TABLE", /`?entrys`?/);
  expect((await exporting("part.ndjson", "ships")).code).toBe(0);
  const stopped = await rehearsal.shell(DEPLOY);
  expectRefusal(stopped, 3, "JURISDICTION_STRANDS_DATA", /lacks the tables entries/);
  expect(rehearsal.uploads).toBe(1);
});

test("two exports at once, and the file is there already", async () => {
  const both = await Promise.all([exporting("backup.ndjson"), exporting("backup.ndjson")]);
  expect(both.map(({ code }) => code).toSorted()).toEqual([0, 1]);
  const refused = both.find(({ code }) => code === 1) as End;
  expectRefusal(refused, 1, "TRANSFER_OUTPUT_EXISTS", /--force/);
  expect(rehearsal.tablesOf("backup.ndjson")).toEqual(before);
  const dump = rehearsal.app.read("backup.ndjson");
  expectRefusal(await exporting("backup.ndjson"), 1, "TRANSFER_OUTPUT_EXISTS", /--force/);
  expect(rehearsal.app.read("backup.ndjson")).toBe(dump);
});

test("import into the old region", async () => {
  await rehearsal.write("Argo", "written after the export");
  const now = await rehearsal.held();
  expectRefusal(
    await importing("backup.ndjson"),
    1,
    "IMPORT_TARGET_NOT_EMPTY",
    /no jurisdiction, which is where the dump is from[\s\S]*deploy first/,
  );
  expect(await rehearsal.held()).toEqual(now);
  expect(await rehearsal.rows("Argo")).toMatchObject({ entries: { Argo: ["one", "two", "written after the export"] } });
});

test("a baseline that cannot be read", async () => {
  const known = baseline();
  rehearsal.app.write("lunora/.lunora-schema.json", known.slice(0, -20));
  expectRefusal(await rehearsal.shell(DEPLOY), 2, "SCHEMA_SNAPSHOT_PARSE", /Restore it from version control/);
  expect([rehearsal.uploads, baseline()]).toEqual([1, known.slice(0, -20)]);
  rehearsal.app.write("lunora/.lunora-schema.json", known);
});

test("a start that cannot tell what the data were written with, or was not told that they change", async () => {
  // The window has to be closed with another export: what came after the first is not in it.
  await rehearsal.done(
    `LUNORA_ADMIN_TOKEN=${TOKEN} lunora export --prod --url ${rehearsal.url} --out backup.ndjson --tables ships,entries --force`,
  );
  before = rehearsal.tablesOf("backup.ndjson");
  await rehearsal.done("lunora codegen");
  await rehearsal.done(DEPLOY);
  expect(rehearsal.uploads).toBe(2);
  await rehearsal.stop();

  const { app } = rehearsal;
  const stored = app.read(".lunora/production/schema.json");
  app.write(".lunora/production/schema.json", stored.slice(0, 20));
  const blind = rehearsal.starting("--allow-schema-drift");
  expectRefusal(
    { code: await blind.ended(), output: blind.output },
    1,
    "SCHEMA_SNAPSHOT_PARSE",
    /Restore it from a backup/,
  );
  app.write(".lunora/production/schema.json", stored);
  // That an export covers the move is one question, that the schema changes is another.
  const unsaid = rehearsal.starting();
  expectRefusal({ code: await unsaid.ended(), output: unsaid.output }, 3, "SCHEMA_DRIFT", /--allow-schema-drift/);
  await rehearsal.start("--allow-schema-drift");
});

/** Nothing came of what was tried. */
async function expectEmpty(): Promise<void> {
  expect(await rehearsal.rows("Argo")).toEqual({ ships: [], entries: { Argo: [] } });
}

test("a dump that is not whole", async () => {
  const { app } = rehearsal;
  const dump = app.read("backup.ndjson");
  const lines = dump.split("\n");
  const cuts = {
    "middle.ndjson": dump.slice(0, dump.length / 2),
    "no-footer.ndjson": `${lines.slice(0, -2).join("\n")}\n`,
    "no-end.ndjson": dump.slice(0, -1),
    "empty.ndjson": "",
  };
  for (const [name, text] of Object.entries(cuts)) {
    writeFileSync(app.path(name), text);
    expectRefusal(await importing(name), 1, "TRANSFER_FILE_TRUNCATED", /Export again/);
  }
  // A line that went missing in the middle is no dump either.
  writeFileSync(app.path("hole.ndjson"), lines.filter((line) => !line.includes('"two"')).join("\n"));
  expectRefusal(await importing("hole.ndjson"), 1, "TRANSFER_PROOF_FAILED", /`entries`/);
  await expectEmpty();
});

test("an import with the wrong token, with nobody to ask, and with somebody who says no", async () => {
  expectRefusal(await importing("backup.ndjson", "another-token-of-sixteen"), 1, "UNAUTHORIZED", /LUNORA_ADMIN_TOKEN/);
  const line = `LUNORA_ADMIN_TOKEN=${TOKEN} lunora import backup.ndjson --prod --url ${rehearsal.url}`;
  expectRefusal(await rehearsal.shell(line), 2, "TRANSFER_NOT_CONFIRMED", /--yes/);
  const refused = await rehearsal.atTerminal(line, "no");
  expectRefusal(refused, 2, "TRANSFER_NOT_CONFIRMED", /nothing was done/);
  await expectEmpty();
});

test("the right order works all the same; the import again does not", async () => {
  const imported = await importing("backup.ndjson");
  expect(imported.code, imported.output).toBe(0);
  expect(await rehearsal.held()).toEqual(before);
  expectRefusal(
    await importing("backup.ndjson"),
    1,
    "IMPORT_TARGET_NOT_EMPTY",
    /lunora import backup\.ndjson --url \S+ --verify/,
  );
  expect(await rehearsal.held()).toEqual(before);
  await rehearsal.done(`LUNORA_ADMIN_TOKEN=${TOKEN} lunora import backup.ndjson --url ${rehearsal.url} --verify`);
  // Every export from the region that was left is used up: none of them vouches for another move from there.
  expect(receipts()).toEqual([]);
  expect(readdirSync(rehearsal.app.path(".lunora/receipts/used")).length).toBeGreaterThan(1);
});

test("a state folder that was moved to another region is no place for the old build", async () => {
  rehearsal.declare(null);
  const built = rehearsal.app.run("vite", ["build"]);
  expect(await built.ended(), built.output).toBe(0);
  await rehearsal.stop();
  const start = rehearsal.starting("--allow-schema-drift");
  const output = { code: await start.ended(), output: start.output };
  expectRefusal(output, 3, "JURISDICTION_STRANDS_DATA", /changes from eu to \(none\)/);
  rehearsal.declare("eu");
  const again = rehearsal.app.run("vite", ["build"]);
  expect(await again.ended(), again.output).toBe(0);
  await rehearsal.start();
  expect(await rehearsal.held()).toEqual(before);
});
