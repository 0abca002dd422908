// Calls that belong together. `db` is the binding, `http` the service behind it.

const TOKEN = "x-cf-d1-session-commit-token";

async function tell(call) {
  try {
    return await call();
  } catch (error) {
    return `threw ${error.message}`;
  }
}

/** A small generator, so that both sides see the same steps. */
function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function randomStatement(below) {
  const id = () => below(12);
  const value = () => [null, below(5), below(5) + 0.5, `s${below(4)}`, [below(256)]][below(5)];
  return [
    () => ["INSERT INTO r (id, a, b) VALUES (?, ?, ?)", id(), value(), value()],
    () => ["INSERT OR REPLACE INTO r (id, a, b) VALUES (?, ?, ?) RETURNING id, a", id(), value(), value()],
    () => ["INSERT INTO r (id, a) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET b = excluded.a", id(), value()],
    () => ["UPDATE r SET a = ?, n = n + 1 WHERE id >= ? RETURNING id, n", value(), id()],
    () => ["UPDATE r SET n = n / ? WHERE id = ?", below(3) - 1, id()],
    () => ["DELETE FROM r WHERE id = ? OR a IS ?", id(), value()],
    () => ["SELECT id, a, b, n, typeof(a) FROM r WHERE a < ? OR b = ? ORDER BY a, id LIMIT ?", value(), value(), id()],
    () => ["SELECT a, count(*), max(b), total(n) FROM r GROUP BY a ORDER BY a", []].slice(0, 1),
    () => ["SELECT x.id, y.id FROM r x JOIN r y ON x.a = y.b ORDER BY 1, 2"],
    () => ["INSERT INTO r SELECT id + 1, b, a, n FROM r WHERE id = ?", id()],
    () => ["SELECT nosuch FROM r"],
  ][below(11)]();
}

export const scenarios = {
  "random statements": async ({ db, seed }) => {
    const below = generator(seed);
    const prepared = ([text, ...values]) => db.prepare(text).bind(...values);
    await db.exec("CREATE TABLE r (id INTEGER PRIMARY KEY, a, b UNIQUE, n INTEGER NOT NULL DEFAULT 0 CHECK (n < 6))");
    const told = [];
    for (let step = 0; step < 400; step++) {
      const statements = Array.from({ length: 1 + below(3) }, () => randomStatement(below));
      const answers = await tell(() => db.batch(statements.map(prepared)));
      const plain = (answer) => [answer.results, answer.meta.changes, answer.meta.last_row_id, answer.meta.changed_db];
      told.push(typeof answers === "string" ? answers : answers.map(plain));
    }
    told.push((await db.prepare("SELECT * FROM r ORDER BY id").all()).results);
    return told;
  },

  "a batch is all or nothing": async ({ db }) => {
    await db.exec("CREATE TABLE bank (id INTEGER PRIMARY KEY, money INTEGER CHECK (money >= 0))");
    await db.exec("INSERT INTO bank VALUES (1, 10), (2, 0)");
    const move = (amount) =>
      db.batch([
        db.prepare("UPDATE bank SET money = money + ? WHERE id = 2").bind(amount),
        db.prepare("UPDATE bank SET money = money - ? WHERE id = 1").bind(amount),
      ]);
    const outcomes = [];
    for (const amount of [4, 7, 6, 1]) outcomes.push(await tell(async () => (await move(amount)).length));
    return [outcomes, (await db.prepare("SELECT * FROM bank").all()).results];
  },

  "a session has a bookmark after its first answer": async ({ db }) => {
    const told = [];
    for (const constraint of ["first-primary", "first-unconstrained", undefined]) {
      const session = db.withSession(constraint);
      const before = session.getBookmark();
      await session.prepare("SELECT 1").all();
      const first = session.getBookmark();
      await tell(() => session.prepare("SELECT nosuch").all());
      const failed = session.getBookmark();
      await session.batch([session.prepare("SELECT 1")]);
      const second = session.getBookmark();
      told.push([before, /^[0-9a-f]{12}-[0-9a-f]{8}$/.test(first), failed === first, second > first]);
      const resumed = db.withSession(second);
      await resumed.prepare("SELECT 1").all();
      told.push(resumed.getBookmark() > second);
    }
    return told;
  },

  "bookmarks are answered to those who send one": async ({ http }) => {
    const told = [];
    for (const token of [undefined, "", " ", "first-primary"]) {
      const headers = token === undefined ? {} : { [TOKEN]: token };
      const response = await http.fetch("http://d1/query", { method: "POST", headers, body: '{"sql":"SELECT 1"}' });
      told.push([response.status, response.headers.get("content-type"), response.headers.has(TOKEN)]);
    }
    return told;
  },

  "forms of the answer": async ({ http }) => {
    const told = [];
    for (const path of ["/query", "/execute"]) {
      for (const format of ["ROWS_AND_COLUMNS", "ARRAY_OF_OBJECTS", "NONE", ""]) {
        for (const body of ['{"sql":"SELECT 1 AS a"}', '[{"sql":"SELECT 1 AS a","params":[]},{"sql":"SELECT 2 AS b WHERE 0"}]']) {
          const response = await http.fetch(`http://d1${path}?resultsFormat=${format}`, { method: "POST", body });
          const answers = await response.json();
          told.push(answers.map(({ meta, ...rest }) => ({ ...rest, meta: Object.keys(meta).sort() })));
        }
      }
    }
    return told;
  },

  "meta has numbers": async ({ db }) => {
    const { meta } = await db.prepare("SELECT 1").all();
    return Object.entries(meta).map(([name, value]) => `${name}: ${typeof value}`).sort();
  },

  "requests that are none": async ({ http }) => {
    const told = [];
    for (const body of ["", "{", "null", "{}", "[]", "[1]", '{"sql":5}', '{"sql":"SELECT ?","params":{"0":5}}', '{"sql":"SELECT ?","params":"abc"}']) {
      const response = await http.fetch("http://d1/query", { method: "POST", body });
      told.push((await response.json()).success ?? "an array");
    }
    for (const [method, path] of [["GET", "/query"], ["POST", "/other"], ["POST", "/"]]) {
      told.push((await http.fetch(`http://d1${path}`, { method })).ok);
    }
    return told;
  },

  "parameters that the binding never sends": async ({ http }) => {
    const told = [];
    for (const params of ["[{}]", "[true]", '[["b"]]', "[[256]]"]) {
      const body = `{"sql":"SELECT ?","params":${params}}`;
      told.push((await (await http.fetch("http://d1/query", { method: "POST", body })).json()).success ?? "an array");
    }
    return told;
  },

  "many rows": async ({ db }) => {
    await db.exec("CREATE TABLE many (id INTEGER PRIMARY KEY, v TEXT)");
    await db.exec("INSERT INTO many SELECT value, hex(value) FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < 20000) SELECT value FROM c)");
    const all = await db.prepare("SELECT id, v FROM many ORDER BY id").raw();
    const big = await db.prepare("SELECT ? AS v").bind("ä".repeat(600_000)).first("v");
    const bytes = await db.prepare("SELECT ? AS v").bind(new Uint8Array(300_000).fill(7)).first("v");
    return [all.length, all[19_999], big.length, bytes.length, bytes[299_999]];
  },

  "a request that is too long": async ({ db }) => {
    const long = await tell(() => db.prepare("SELECT length(?)").bind("x".repeat(6 << 20)).all());
    return [typeof long === "string" ? long : "an answer", await db.prepare("SELECT 2").first("2")];
  },

  "two at once": async ({ db }) => {
    await db.exec("CREATE TABLE count_up (n INTEGER)");
    await db.exec("INSERT INTO count_up VALUES (0)");
    const counts = await Promise.all(
      Array.from({ length: 40 }, () => db.prepare("UPDATE count_up SET n = n + 1 RETURNING n").first("n")),
    );
    return [counts.sort((one, other) => one - other), await db.prepare("SELECT n FROM count_up").first("n")];
  },
};
