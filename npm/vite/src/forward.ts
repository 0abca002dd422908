import { Agent, request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as tcpConnect } from "node:net";
import type { Duplex } from "node:stream";
import { ToolchainError } from "@lunora/native";

/** The paths that belong to the worker. */
export const reservedPrefix = "/_lunora/";

/** Where the worker is, as soon as it is known; rejects when it cannot be started. */
export type WorkerUrl = () => Promise<URL>;

const agent = new Agent({ keepAlive: true });

/** Why there is no worker, in the form that its own refusals have. */
function refusalOf(error: unknown): { code: string; message: string; hint?: string } {
  if (!(error instanceof ToolchainError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: "WORKER_UNAVAILABLE", message: `The worker is not running: ${message}` };
  }
  const message = error.diagnostics[0]?.message ?? error.message;
  return { code: error.code, message, ...(error.help ? { hint: error.help } : {}) };
}

function answerUnavailable(response: ServerResponse, refusal: ReturnType<typeof refusalOf>): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(503, { "content-type": "application/json", "cache-control": "no-store", "retry-after": "1" });
  response.end(JSON.stringify({ error: refusal }));
}

/** Copies a request to the worker and its answer back, byte for byte. */
export async function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  workerUrl: WorkerUrl,
): Promise<void> {
  let url: URL;
  try {
    url = await workerUrl();
  } catch (error) {
    answerUnavailable(response, refusalOf(error));
    return;
  }
  const upstream = httpRequest({
    agent,
    host: url.hostname,
    port: url.port,
    method: request.method,
    path: request.url,
    headers: { ...request.headers, host: url.host, "x-forwarded-host": request.headers.host ?? url.host },
  });
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  upstream.on("error", (error) => {
    const message = `The connection to the worker failed: ${error.message}`;
    answerUnavailable(response, { code: "WORKER_UNAVAILABLE", message });
  });
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

/** Joins a WebSocket upgrade to the worker; from then on only bytes pass. */
export async function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  workerUrl: WorkerUrl,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  let url: URL;
  try {
    url = await workerUrl();
  } catch {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    return;
  }
  const upstream = tcpConnect({ host: url.hostname, port: Number(url.port) });
  upstream.on("connect", () => {
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? "";
      const value = request.rawHeaders[index + 1] ?? "";
      if (name.toLowerCase() === "x-forwarded-host") continue;
      lines.push(`${name}: ${name.toLowerCase() === "host" ? url.host : value}`);
    }
    // The worker compares the page's origin with the host that the page asked.
    lines.push(`x-forwarded-host: ${request.headers.host ?? url.host}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
  upstream.on("error", () => socket.destroy());
  upstream.on("close", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
}
