// The built UI on an origin of its own, with the API of the contract answered from a timeline. It guards as the real
// one does in what the page can see: the token, the policy.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { app, mail, mailPage, MAILS, operations, residency, shardPage } from "./answers.ts";
import { LOG_HEAD, mutation, timeline } from "./timeline.ts";

export const TOKEN = "a-token-of-the-test";
const dist = join(import.meta.dirname, "..", "..", "..", "npm", "inspector", "dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

type Told = ReturnType<typeof mutation>[number];

/** The inspector as a page sees it. */
export class InspectorServer {
  /** Requests that writes were asked with: path and body. */
  readonly writes: { path: string; body: unknown }[] = [];
  /** Shards that were asked what they hold, in the order of the questions. */
  readonly looked: string[] = [];
  /** Events that were dropped. */
  dropped = 0;
  readonly #events: Told[] = timeline(Date.now());
  readonly #sockets = new Set<WebSocket>();
  readonly #files = built();
  readonly #server: Server;
  #mutations = 60;
  #chaos: unknown = null;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    const feeds = new WebSocketServer({
      server: this.#server,
      handleProtocols: (protocols) => (protocols.has(`token.${TOKEN}`) ? "lunora.inspector" : false),
    });
    feeds.on("connection", (socket) => {
      socket.on("message", (data: Buffer) => {
        const { after } = JSON.parse(data.toString()) as { after: number };
        const events = this.#events.filter((event) => event.n > after);
        for (let start = 0; start < events.length; start += 500) this.#send(socket, events.slice(start, start + 500));
        this.#sockets.add(socket);
      });
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<InspectorServer> {
    const server = new InspectorServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Mutations happen, and everybody who follows hears of them. */
  happen(count: number): void {
    const events: Told[] = [];
    for (let index = 0; index < count; index += 1) {
      events.push(...mutation(this.#mutations, this.#events.length + events.length + 1, Date.now()));
      this.#mutations += 1;
    }
    this.tell(events);
  }

  /** Log lines are written, each with its number; answers that of the last. */
  log(count: number): number {
    const first = this.#events.length + 1;
    this.tell(
      Array.from({ length: count }, (_, index) => ({
        type: "log",
        n: first + index,
        at: Date.now(),
        level: "info",
        text: `line ${first + index}`,
      })),
    );
    return first + count - 1;
  }

  /** Events are dropped before anybody hears of them. */
  drop(count: number): void {
    this.dropped += count;
    this.tell([{ type: "dropped", n: this.#events.length + 1, at: Date.now(), count }]);
  }

  /** A socket is dropped by chaos. */
  disturb(object: string, socket: string): void {
    const by = { by: "chaos", seed: 42, step: 1, details: {} };
    const fault = { type: "fault", fault: "dropSocket", state: "happened", object, socket, ...by };
    this.tell([{ ...fault, n: this.#events.length + 1, at: Date.now() }]);
  }

  /** The app sends a mail. */
  send(subject: string): void {
    const id = `mail${MAILS.length}`;
    MAILS.unshift({ ...MAILS[0], id, subject, at: Date.now(), isRead: false });
    this.tell([{ type: "mail", n: this.#events.length + 1, at: Date.now(), id, change: "added" }]);
  }

  tell(events: Told[]): void {
    for (const event of events) this.#events.push(event);
    for (const socket of this.#sockets) {
      for (let start = 0; start < events.length; start += 500) this.#send(socket, events.slice(start, start + 500));
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #send(socket: WebSocket, events: Told[]): void {
    socket.send(JSON.stringify({ events, next: (events.at(-1)?.n ?? 0) + 1 }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    if (!url.pathname.startsWith("/api/")) return this.#file(url.pathname, response);
    const frame = /^\/api\/mail\/([^/]+)\/html$/.exec(url.pathname)?.[1];
    if (frame !== undefined && url.searchParams.get("ticket") === `for-${frame}`) {
      response.setHeader(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'",
      );
      return void response.setHeader("content-type", "text/html").end(mailPage);
    }
    const say = (status: number, body: unknown): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return say(401, { error: { code: "INSPECTOR_TOKEN_WRONG", message: "The token is not the one of this run." } });
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    if (url.pathname.endsWith("/raw"))
      return void response
        .setHeader("content-type", "message/rfc822")
        .end("From: chat@example.com\r\nSubject: Welcome\r\n\r\nHello");
    const answer = this.#api(url, body);
    return answer === undefined
      ? say(404, { error: { code: "NOT_FOUND", message: `There is nothing at ${url.pathname}.` } })
      : say(200, answer);
  }

  #api(url: URL, body: Record<string, unknown>): unknown {
    const path = url.pathname.slice("/api/".length);
    const operation = /^inspect\/(.+)$/.exec(path)?.[1];
    const isWrite =
      operation === "edit" || operation === "job" || /^(mail\/(read|delete|clear|inbound)|faults|chaos)$/.test(path);
    if (isWrite) this.writes.push({ path, body });
    if (operation === "shard") this.looked.push(String(body["object"]));
    if (operation !== undefined) {
      const value = operations[operation]?.({ ...body, head: LOG_HEAD + this.#mutations });
      return value === undefined ? undefined : { value };
    }
    const mailId = /^mail\/(mail\d+)$/.exec(path)?.[1];
    if (mailId !== undefined) return mail(mailId);
    switch (path) {
      case "status":
        return {
          app: "chat",
          version: "0.1.0",
          generation: 3,
          worker: "serving",
          url: "http://localhost:5173",
          uptimeMs: 184_000,
          jurisdictions: ["eu"],
          pinned: "eu",
          faults: true,
          chaos: this.#chaos,
          timeline: {
            entries: this.#events.length,
            bytes: 91_000,
            first: 1,
            next: this.#events.length + 1,
            dropped: 0,
          },
          mail: { count: MAILS.length, unread: 10, bytes: 64_000 },
        };
      case "chaos":
        this.#chaos = body["seed"] === null ? null : { seed: body["seed"], step: 3, startedAt: Date.now() - 4000 };
        return { chaos: this.#chaos };
      case "app":
        return app;
      case "shards":
        return shardPage(url.searchParams);
      case "residency":
        return residency;
      case "trace":
        return this.#trace(url.searchParams);
      case "events":
        return {
          events: this.#events.filter((event) => event.n > Number(url.searchParams.get("after"))).slice(0, 1),
          next: this.#events.length + 1,
          first: 1,
        };
      case "mail":
        return {
          mails: url.searchParams.has("after")
            ? []
            : MAILS.filter((one) => String(one["subject"]).includes(url.searchParams.get("search") ?? "")),
          unread: 10,
          count: MAILS.length,
        };
      case "mail/inbound":
        return {
          outcome: "rejected",
          reason: "Nobody here has this address",
          forwarded: [],
          replies: [],
          call: "mailed",
          logs: [
            { n: 1, type: "log", at: Date.now(), level: "warn", text: "no thread takes this mail", call: "mailed" },
          ],
        };
      default:
        return isWrite ? {} : undefined;
    }
  }

  #trace(query: URLSearchParams): unknown {
    const seq = Number(query.get("seq") ?? Number.NaN);
    const found = this.#events.find(
      (event) => event.type === "commit" && (event["fromSeq"] as number) < seq && seq <= (event["toSeq"] as number),
    );
    const call = query.get("call") ?? (found?.["calls"] as { call: string }[] | undefined)?.[0]?.call;
    if (call === undefined) return undefined;
    const own = this.#events.filter(
      (event) =>
        event["call"] === call ||
        (event["calls"] as unknown[] | undefined)?.some(
          (told) => told === call || (told as { call: string }).call === call,
        ),
    );
    const commit = own.find((event) => event.type === "commit");
    const calls = this.#events.filter((event) => event.type === "call");
    const ran = calls.find((event) => event["call"] === call);
    return {
      request: own.find((event) => event.type === "request") ?? null,
      call: ran ?? null,
      parent: calls.find((event) => event["call"] === ran?.["parent"]) ?? null,
      children: calls.filter((event) => event["parent"] === call),
      commit: commit ?? null,
      ops: commit?.["changes"] ?? [],
      pokes: own.filter((event) => event.type === "poke"),
      logs: own.filter((event) => event.type === "log"),
    };
  }

  #file(path: string, response: ServerResponse): void {
    const known = this.#files.get(path);
    const name = known === undefined ? "index.html" : path;
    response.writeHead(200, {
      "content-type": TYPES[extname(name)] ?? "text/plain",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
    });
    response.end(known ?? this.#files.get("/index.html"));
  }
}

/** Everything that was built, by path; read at once, since a build may come in between. */
function built(): Map<string, Buffer> {
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => extname(name) !== "");
  return new Map(names.map((name) => [`/${name}`, readFileSync(join(dist, name))]));
}
