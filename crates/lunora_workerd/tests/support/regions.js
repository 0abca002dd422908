import { DurableObject } from "cloudflare:workers";

export class Shard extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows(value TEXT NOT NULL)");
    ctx.storage.sql.exec("INSERT INTO rows SELECT 'born' WHERE NOT EXISTS (SELECT 1 FROM rows WHERE value = 'born')");
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS lives(n INTEGER)");
    ctx.storage.sql.exec("INSERT INTO lives VALUES (1)");
  }

  add(value) {
    this.ctx.storage.sql.exec("INSERT INTO rows VALUES (?)", value);
  }

  rows() {
    return this.ctx.storage.sql.exec("SELECT value FROM rows WHERE value <> 'born' ORDER BY rowid").toArray().map((row) => row.value);
  }

  lives() {
    return this.ctx.storage.sql.exec("SELECT count(*) AS n FROM lives").one().n;
  }

  /** What the object finds in its own environment. */
  async inside(jurisdiction) {
    const told = async (run) => {
      try {
        return await run();
      } catch (error) {
        return String(error);
      }
    };
    const own = () => this.env.SHARD.jurisdiction(jurisdiction);
    return {
      keys: Object.keys(this.env).sort(),
      secret: this.env.TOKEN,
      neighbour: await told(async () => {
        await own().getByName("neighbour").add("from inside");
        return own().getByName("neighbour").rows();
      }),
      own: await told(() => own().idFromName("root").toString() === this.ctx.id.toString()),
      ownId: await told(() => own().get(this.ctx.id) !== undefined),
      outside: await told(() => this.env.SHARD.getByName("root").rows()),
      outsideId: await told(() => this.env.SHARD.newUniqueId()),
      other: await told(() => this.env.SHARD.jurisdiction(jurisdiction === "eu" ? "us" : "eu")),
    };
  }

  async wakeIn(milliseconds) {
    await this.ctx.storage.setAlarm(Date.now() + milliseconds);
  }

  alarm() {
    this.add("alarm");
  }

  fetch() {
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0] });
  }

  webSocketMessage(socket, message) {
    this.add(message);
    socket.send(`${this.lives()} ${message}`);
  }
}

function told(run) {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

/** Every promise that production's namespaces make, as `true` or as what was found instead. */
function semantics({ SHARD: all }) {
  const [eu, us] = [all.jurisdiction("eu"), all.jurisdiction("us")];
  const ids = [all, eu, us].map((namespace) => namespace.idFromName("same"));
  const texts = ids.map(String);
  const unique = all.newUniqueId({ jurisdiction: "eu" });
  return {
    "a name is another object in each": new Set(texts).size === 3,
    "a name is the same object each time": String(all.jurisdiction("eu").idFromName("same")) === texts[1],
    "an id knows its jurisdiction": ids.map((id) => id.jurisdiction),
    "an id knows its name": ids.every((id) => id.name === "same"),
    "ids are 64 hexadecimal digits": texts.every((text) => /^[0-9a-f]{64}$/.test(text)),
    "ids compare": [ids[1].equals(eu.idFromName("same")), ids[1].equals(ids[2]), ids[0].equals(ids[1])],
    "unique ids": [unique.jurisdiction, eu.newUniqueId().jurisdiction, all.newUniqueId().jurisdiction],
    "unique id of another": told(() => eu.newUniqueId({ jurisdiction: "us" })),
    "an id comes back from its text": all.idFromString(String(unique)).jurisdiction,
    "and from its own namespace": eu.idFromString(texts[1]).jurisdiction,
    "text of another jurisdiction": told(() => eu.idFromString(texts[2])),
    "text of none": told(() => eu.idFromString(texts[0])),
    "text that is no id": told(() => all.idFromString("x")),
    "id of another jurisdiction": told(() => eu.get(ids[2])),
    "id of none": told(() => eu.get(ids[0])),
    "no id": told(() => eu.get("text")),
    "the whole takes ids of every jurisdiction": ids.every((id) => all.get(id) !== undefined),
    "restricted twice": told(() => eu.jurisdiction("us")),
    "restricted to the same twice": told(() => eu.jurisdiction("eu")),
    "unknown": told(() => all.jurisdiction("mars")),
    "not declared": told(() => all.jurisdiction("fedramp")),
    "the inner name": told(() => all.jurisdiction("root")),
    "of an object's nature": told(() => all.jurisdiction("__proto__")),
    "empty": told(() => all.jurisdiction("")),
    "nothing": String(all.jurisdiction().idFromName("same")) === texts[0] && String(all.jurisdiction(null).idFromName("same")) === texts[0],
    "hints are taken": eu.getByName("same", { locationHint: "weur" }) !== undefined,
  };
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const jurisdiction = searchParams.get("in");
    const namespace = jurisdiction === null ? env.SHARD : env.SHARD.jurisdiction(jurisdiction);
    const shard = namespace.getByName(searchParams.get("name") ?? "root");
    switch (pathname) {
      case "/semantics": return Response.json(semantics(env));
      case "/global": return Response.json((await import("cloudflare:workers")).env.SHARD.jurisdiction("eu").idFromName("same").jurisdiction);
      case "/add": await shard.add(await request.text()); return new Response("ok");
      case "/rows": return Response.json(await shard.rows());
      case "/lives": return Response.json(await shard.lives());
      case "/inside": return Response.json(await shard.inside(jurisdiction));
      case "/wake": await shard.wakeIn(50); return new Response("ok");
      case "/ws": return shard.fetch(request);
    }
    return new Response("not found", { status: 404 });
  },
};
