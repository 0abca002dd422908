// A stand-in for the API that wrangler sends to; it takes everything, and remembers the worker.
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";

async function read(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function answer(path: string, method: string): unknown {
  if (path.endsWith("/subdomain")) return { enabled: true, previews_enabled: true, subdomain: "example" };
  if (path.includes("/workers/services/") && method === "GET") return undefined;
  if (path.endsWith("/assets-upload-session")) return { jwt: "all-there", buckets: [] };
  if (path.endsWith("/deployments")) return { deployments: [] };
  if (path.includes("/workers/scripts/"))
    return { id: "notes", deployment_id: "1", startup_time_ms: 1, has_assets: true };
  return [];
}

/** Where the app's own wrangler deploys to. */
export class UploadApi {
  /** The bodies of the workers that were sent, in their order. */
  readonly uploads: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? "").split("?")[0] ?? "";
      const method = request.method ?? "GET";
      void read(request).then((body) => {
        if (method === "PUT" && /\/workers\/scripts\/[^/]+$/.test(path)) this.uploads.push(body);
        const result = answer(path, method);
        const found = result !== undefined;
        response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
        const errors = found ? [] : [{ code: 10_090, message: "This does not exist." }];
        response.end(JSON.stringify({ success: found, errors, messages: [], result: result ?? null }));
      });
    });
  }

  static async start(): Promise<UploadApi> {
    const api = new UploadApi();
    await new Promise<void>((resolve) => {
      api.#server.listen(0, "127.0.0.1", resolve);
    });
    return api;
  }

  /** What makes wrangler send here; `home` is a folder without an account in it. */
  environment(home: string): Record<string, string> {
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`,
      CLOUDFLARE_API_TOKEN: "a-token-for-nothing",
      CLOUDFLARE_ACCOUNT_ID: "0123456789abcdef0123456789abcdef",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      HOME: home,
    };
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
