import type { CommandOutcome } from "@lunora/native";
import process from "node:process";

/** What `lunora residency` was asked for, and what is known without a server. */
export type ResidencyCommand = Extract<CommandOutcome, { kind: "residency" }>;

/** What went over the boundary of a pinned app, in one isolate of a server since it began. */
interface Crossing {
  readonly kind: "action" | "globalTable";
  /** The function's path, or the table. */
  readonly name: string;
  readonly count: number;
}

/** A server's answer, or why there is none. */
export type ServerCrossings =
  | {
      readonly url: string;
      readonly jurisdiction: string | null;
      readonly region: string | null;
      readonly crossings: readonly Crossing[];
    }
  | { readonly url: string; readonly error: string };

/** How long a server may take, milliseconds. */
const answerTime = 10_000;

/** Why each kind is outside of the jurisdiction, by design. */
const reasons = {
  action: "actions run in the Worker, wherever the request came in",
  globalTable: "global tables are in D1, which has its own location",
} as const;

const isLocal = ({ hostname }: URL): boolean => hostname === "localhost" || /^(127\.|\[::1\]$)/.test(hostname);

async function ask(address: string, token: string): Promise<ServerCrossings> {
  const failed = (error: string): ServerCrossings => ({ url: address, error });
  if (token === "") return failed("not asked: set LUNORA_ADMIN_TOKEN to the server's own");
  const url = URL.canParse(address) ? new URL("/_lunora/admin/residency", address) : undefined;
  if (url === undefined) return failed("not asked: it is no URL");
  if (url.protocol !== "https:" && !isLocal(url))
    return failed("not asked: without TLS the token is sent to this machine only");
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.timeout(answerTime),
    });
    const body = (await response.json()) as {
      jurisdiction: string | null;
      region: string | null;
      crossings: Crossing[];
      error?: { code: string; message: string };
    };
    if (body.error !== undefined) return failed(`${body.error.code}: ${body.error.message}`);
    return { url: address, jurisdiction: body.jurisdiction, region: body.region, crossings: body.crossings };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function lines(server: ServerCrossings): string[] {
  if ("error" in server) return [`  ${server.url}: ${server.error}`];
  const pinned = server.jurisdiction ?? "not pinned";
  const head = `  ${server.url}: serves ${pinned}${server.region === null ? "" : `, LUNORA_REGION ${server.region}`}`;
  if (server.crossings.length === 0) return [`${head}; nothing crossed`];
  return [head, ...server.crossings.map(({ kind, name, count }) => `      ${count} × ${name}: ${reasons[kind]}`)];
}

/**
 * `lunora residency`, after what is known without a server: asks each server what crossed the boundary. Resolves with
 * the exit code: 0, also when a server gave no answer, which is said.
 */
export async function runResidencyCommand(command: ResidencyCommand): Promise<number> {
  const token = process.env["LUNORA_ADMIN_TOKEN"] ?? "";
  const servers = await Promise.all(command.servers.map((address) => ask(address, token)));
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ ...command.report, servers })}\n`);
    return 0;
  }
  const crossings = servers.length === 0 ? ["  no server runs; `--url` names another one"] : servers.flatMap(lines);
  process.stdout.write(`${command.stdout}\ncrossings\n${crossings.join("\n")}\n`);
  return 0;
}
