// Runs every case against both sides and answers `[{name, ours, bundled}]`.

import { probes } from "./probes.js";
import { scenarios } from "./scenarios.js";

/** What every implementation measures or names in its own way. */
function plain(result) {
  const { changes, last_row_id, changed_db } = result.meta;
  return { success: result.success, results: result.results, meta: { changes, last_row_id, changed_db } };
}

/** `raw SELECT ? (5)`, unique among the probes that differ. */
function nameOf([way, text = "", ...rest]) {
  const bound = way !== "batch" && rest.length > 0 && rest.length < 9 ? `(${JSON.stringify(rest).slice(1, -1)})` : "";
  return `${way} ${text} ${bound}`.trim().toWellFormed();
}

async function call(db, [way, text, ...rest]) {
  if (way === "exec") return (await db.exec(text)).count;
  if (way === "dump") return (await db.dump()).byteLength > 0;
  if (way === "batch") return (await db.batch([text, ...rest].map((one) => db.prepare(one)))).map(plain);
  const statement = db.prepare(text).bind(...rest);
  if (way === "raw") return statement.raw({ columnNames: true });
  if (way === "first") return statement.first();
  return plain(way === "run" ? await statement.run() : await statement.all());
}

async function tell(work) {
  try {
    const value = await work();
    // What JSON cannot say would make two answers look alike.
    return JSON.parse(JSON.stringify({ value }, (_, one) => (one === undefined ? "(undefined)" : one)));
  } catch (error) {
    return { error: error.message };
  }
}

export default {
  async fetch(request, env) {
    const seed = Number(new URL(request.url).searchParams.get("seed"));
    const sides = {
      ours: { db: env.OURS, http: env.OURS_HTTP, seed },
      bundled: { db: env.BUNDLED, http: env.BUNDLED_HTTP, seed },
    };
    const cases = [
      ...Object.entries(scenarios),
      ...probes.map((probe) => [nameOf(probe), ({ db }) => call(db, probe)]),
    ];
    const told = [];
    for (const [name, work] of cases) {
      const [ours, bundled] = [await tell(() => work(sides.ours)), await tell(() => work(sides.bundled))];
      told.push({ name, ours, bundled });
    }
    return Response.json(told);
  },
};
