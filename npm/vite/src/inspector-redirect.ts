import type { IncomingMessage, ServerResponse } from "node:http";
import { isAllowedHost } from "./host-check.ts";

/** Where the inspector is looked for on the dev server of the app. */
const INSPECTOR_PATH = "/__lunora";

/** Whether a URL of the dev server is the inspector's. */
export function isInspectorPath(url: string | undefined): boolean {
  const path = url?.split(/[?#]/, 1)[0];
  return path === INSPECTOR_PATH || path === `${INSPECTOR_PATH}/`;
}

/**
 * Leads to the inspector, which is on an origin of its own, and without its token: the page asks for it.
 *
 * Scripts of the app, and of whatever it loads, have this server's origin. A page of the inspector here could be read by
 * them; a redirect cannot: `fetch` hides where it leads, and the inspector refuses to be framed. A token in it would still
 * be handed to every program that can ask this server, on other machines as well under `--host`, while the file that
 * holds it is for its user alone. So the token comes from the terminal, or from that file, and never from here.
 */
export function leadToInspector(
  request: Pick<IncomingMessage, "headers" | "method">,
  response: Pick<ServerResponse, "writeHead" | "end">,
  origin: string | undefined,
  allowedHosts: readonly string[] | true,
): void {
  const headers = { "cache-control": "no-store", "referrer-policy": "no-referrer" };
  if (!isAllowedHost(request.headers.host, allowedHosts)) {
    response.writeHead(403, headers).end();
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { ...headers, allow: "GET, HEAD" }).end();
  } else if (origin === undefined) {
    const text = "Lunora's inspector is not running: it starts with the engine unless `inspector: false` is set.\n";
    response.writeHead(503, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(text);
  } else {
    response.writeHead(302, { ...headers, location: `${origin}/` }).end();
  }
}
