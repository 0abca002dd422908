import { NAMESPACES } from "./client.ts";
import type { Loose } from "./loose.ts";
import type { TestWorker } from "./workerd.ts";

/** What the app `transfer` has. */
export const TRANSFER_NAMESPACES: typeof NAMESPACES = [
  ...NAMESPACES,
  { binding: "SCHEDULER", className: "SchedulerDO" },
];

export const TOKEN = "a-token-of-tests-long-enough";

export const HEADERS: Readonly<Record<string, string>> = {
  authorization: `Bearer ${TOKEN}`,
  "content-type": "application/json",
};

/** An answer of an admin route that has to be good; else the code is thrown. */
export async function admin(worker: TestWorker, name: string, body: object): Promise<Loose> {
  const response = await worker.fetch(`/_lunora/admin/${name}`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
  });
  return answered(response);
}

async function answered(response: Response): Promise<Loose> {
  const body = (await response.json()) as Loose;
  if (response.ok) return body;
  throw Object.assign(new Error(`${body.error.code}: ${body.error.message}`), body.error);
}

/** A paged operation, to its end. */
export async function adminPages(worker: TestWorker, name: string, body: object): Promise<void> {
  let cursor: string | null = null;
  do ({ cursor } = await admin(worker, name, { ...body, cursor }));
  while (cursor !== null);
}

export interface Dump {
  /** Lines, the shards' among them. */
  readonly lines: string[];
  readonly parts: Loose[];
  readonly hidden: string[];
}

/** All pages of an export. `between` is waited for after each. */
export async function exportAll(
  worker: TestWorker,
  options: { id: string; tables: string[]; length?: number; isPaused?: boolean },
  between: () => Promise<void> = async () => {},
): Promise<Dump> {
  const dump: Dump = { lines: [], parts: [], hidden: [] };
  let cursor: string | null = null;
  do {
    const response = await worker.fetch("/_lunora/admin/export", {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ ...options, cursor }),
    });
    if (!response.ok) return answered(response);
    const lines = (await response.text()).split("\n");
    lines.pop();
    const last = JSON.parse(lines.pop() as string) as Loose;
    dump.lines.push(...lines);
    dump.parts.push(...last.parts);
    dump.hidden.push(...last.hidden);
    cursor = last.cursor;
    await between();
  } while (cursor !== null);
  return dump;
}

/** Sends lines, numbered from 2 as in a dump whose first is the header. */
export async function importRows(worker: TestWorker, id: string, lines: readonly string[]): Promise<Loose> {
  const response = await worker.fetch(`/_lunora/admin/import/rows?id=${encodeURIComponent(id)}`, {
    method: "POST",
    headers: { ...HEADERS, "content-type": "application/x-ndjson" },
    body: lines.map((line, index) => `${index + 2} ${line}\n`).join(""),
  });
  return answered(response);
}

/** A whole import. */
export async function importAll(
  worker: TestWorker,
  id: string,
  lines: readonly string[],
  { mode, tables }: { mode: string; tables: string[] },
): Promise<void> {
  await adminPages(worker, "import/begin", { id, mode, tables });
  await importRows(worker, id, lines);
  await adminPages(worker, "import/prepare", { id });
  await admin(worker, "import/commit", { id });
  await adminPages(worker, "import/finish", { id });
}

/** Proofs of tables as they are now, parts added up. */
export async function proofs(worker: TestWorker, tables: string[]): Promise<Record<string, [number, string]>> {
  const parts: Loose[] = [];
  let cursor: string | null = null;
  do {
    const page: Loose = await admin(worker, "verify", { tables, cursor });
    parts.push(...page.parts);
    cursor = page.cursor;
  } while (cursor !== null);
  return addedUp(parts);
}

/** The sum of parts, modulo 2^256, by table. */
export function addedUp(parts: Loose[]): Record<string, [number, string]> {
  const sums: Record<string, [number, string]> = {};
  for (const part of parts) {
    for (const [table, { rows, hash }] of Object.entries(part as Record<string, Loose>)) {
      const [before, sum] = sums[table] ?? [0, "0"];
      const next = BigInt.asUintN(256, BigInt(`0x${sum}`) + BigInt(`0x${hash}`));
      sums[table] = [before + rows, next.toString(16).padStart(64, "0")];
    }
  }
  return sums;
}
