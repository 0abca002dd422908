import type { CommandOutcome } from "@lunora/native";
import process from "node:process";

/** What `lunora residency` was asked for, and what is known without a server. */
export type ResidencyCommand = Extract<CommandOutcome, { kind: "residency" }>;

/** What went over the boundary of a pinned app, in one isolate of a server since it began. */
interface Crossing {
  readonly kind: "action" | "globalTable" | "mail";
  /** The function's path, or the table. */
  readonly name: string;
  readonly count: number;
}

/** What a server's shards hold of a table: rows, bytes as they are stored without indexes, and shards that have some. */
interface TableWeight {
  readonly rows: number;
  readonly bytes: number;
  readonly shards: number;
}

/** Where a server's rows are: all of them in its jurisdiction. */
interface ServerRows {
  readonly shards: number;
  /** Of the shards on disk, indexes and free pages included. */
  readonly bytes: number;
  readonly tables: Readonly<Record<string, TableWeight>>;
}

/** A server's answer, or why there is none. */
export type ServerResidency =
  | {
      readonly url: string;
      readonly jurisdiction: string | null;
      readonly region: string | null;
      readonly crossings: readonly Crossing[];
      readonly stored: ServerRows;
    }
  | { readonly url: string; readonly error: string };

/** How long a server may take, milliseconds. */
const answerTime = 10_000;

/** Why each kind is outside of the jurisdiction, by design. */
const reasons = {
  action: "actions run in the Worker, wherever the request came in",
  globalTable: "global tables are in D1, which has its own location",
  mail: "inbound mail goes where `dispatchToLunoraFunction` says, which names another jurisdiction or none",
} as const;

const isLocal = ({ hostname }: URL): boolean => hostname === "localhost" || /^(127\.|\[::1\]$)/.test(hostname);

/** Asks an admin route. Throws what it refused. */
async function answerOf<Answer>(url: URL, token: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    redirect: "error",
    signal: AbortSignal.timeout(answerTime),
  });
  const answer = (await response.json()) as Answer & { readonly error?: { code: string; message: string } };
  if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer;
}

/** Everything that the shards hold, page by page. */
async function storedAt(address: string, token: string): Promise<ServerRows> {
  const url = new URL("/_lunora/admin/residency/tables", address);
  const tables: Record<string, TableWeight> = {};
  let shards = 0;
  let bytes = 0;
  let cursor: string | null = null;
  do {
    const page: ServerRows & { readonly cursor: string | null } = await answerOf(url, token, { cursor });
    shards += page.shards;
    bytes += page.bytes;
    for (const [name, weight] of Object.entries(page.tables)) {
      const known = tables[name] ?? { rows: 0, bytes: 0, shards: 0 };
      tables[name] = {
        rows: known.rows + weight.rows,
        bytes: known.bytes + weight.bytes,
        shards: known.shards + weight.shards,
      };
    }
    ({ cursor } = page);
  } while (cursor !== null);
  return { shards, bytes, tables };
}

async function ask(address: string, token: string): Promise<ServerResidency> {
  const failed = (error: string): ServerResidency => ({ url: address, error });
  if (token === "") return failed("not asked: set LUNORA_ADMIN_TOKEN to the server's own");
  const url = URL.canParse(address) ? new URL("/_lunora/admin/residency", address) : undefined;
  if (url === undefined) return failed("not asked: it is no URL");
  if (url.protocol !== "https:" && !isLocal(url))
    return failed("not asked: without TLS the token is sent to this machine only");
  try {
    const { jurisdiction, region, crossings } = await answerOf<{
      jurisdiction: string | null;
      region: string | null;
      crossings: Crossing[];
    }>(url, token);
    return { url: address, jurisdiction, region, crossings, stored: await storedAt(address, token) };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Bytes for people, in binary units. */
function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return unit === 0 ? `${bytes} B` : `${(bytes / 1024 ** unit).toFixed(1)} ${units[unit]}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What a server says of its rows. */
function rowLines(server: ServerResidency): string[] {
  if ("error" in server) return [`  ${server.url}: ${server.error}`];
  const { url, jurisdiction, stored } = server;
  return [
    `  ${url}: ${jurisdiction ?? "not pinned"}, ${size(stored.bytes)} in ${counted(stored.shards, "shard")}`,
    ...Object.entries(stored.tables).map(
      ([name, { rows, bytes, shards }]) =>
        `      ${name}: ${counted(rows, "row")}, ${size(bytes)} in ${counted(shards, "shard")}`,
    ),
  ];
}

function lines(server: ServerResidency): string[] {
  if ("error" in server) return [`  ${server.url}: ${server.error}`];
  const pinned = server.jurisdiction ?? "not pinned";
  const head = `  ${server.url}: serves ${pinned}${server.region === null ? "" : `, LUNORA_REGION ${server.region}`}`;
  if (server.crossings.length === 0) return [`${head}; nothing crossed`];
  return [head, ...server.crossings.map(({ kind, name, count }) => `      ${count} × ${name}: ${reasons[kind]}`)];
}

/**
 * `lunora residency`, after what is known without a server: asks each server what its shards
 * hold and what crossed the boundary. Resolves with
 * the exit code: 0, also when a server gave no answer, which is said.
 */
export async function runResidencyCommand(command: ResidencyCommand): Promise<number> {
  const token = process.env["LUNORA_ADMIN_TOKEN"] ?? "";
  const servers = await Promise.all(command.servers.map((address) => ask(address, token)));
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ ...command.report, servers })}\n`);
    return 0;
  }
  const nobody = ["  no server runs; `--url` names another one"];
  const rows = servers.length === 0 ? nobody : servers.flatMap(rowLines);
  const crossings = servers.length === 0 ? nobody : servers.flatMap(lines);
  process.stdout.write(
    `${command.stdout}\nrows at servers\n${rows.join("\n")}\n\ncrossings\n${crossings.join("\n")}\n`,
  );
  return 0;
}
