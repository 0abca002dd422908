// The same functions behind a plain Durable Object, called with the same request and answering the same.
import { DurableObject } from "cloudflare:workers";
import { openDatabase } from "./_generated/server.js";
import { revision } from "./entry-settings.js";
import { modules } from "./modules.js";

interface Environment {
  SHARD: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

export class Shard extends DurableObject {
  #database = openDatabase((this.ctx as { storage: { sql: Parameters<typeof openDatabase>[0] } }).storage.sql);

  async fetch(request: Request): Promise<Response> {
    const { functionPath, args } = (await request.json()) as { functionPath: string; args: never };
    const [file = "", name = ""] = functionPath.split(":");
    const registered = (modules[file] as Record<string, { handler: (call: object) => Promise<unknown> }> | undefined)?.[
      name
    ];
    if (registered === undefined)
      return Response.json({ error: { code: "NOT_FOUND", message: functionPath } }, { status: 404 });
    const result = await registered.handler({ ctx: { db: this.#database }, args });
    return Response.json({ result: revision === undefined ? result : { ...(result as object), revision } });
  }
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    if (new URL(request.url).pathname !== "/_lunora/rpc") return new Response("Not found", { status: 404 });
    return env.SHARD.getByName("__root__").fetch(request);
  },
};
