import { readdir } from "node:fs/promises";

import { admin, TOKEN, TRANSFER_NAMESPACES } from "./admin-client.ts";
import { appEntry } from "./client.ts";
import type { Loose } from "./loose.ts";
import { TestWorker } from "./workerd.ts";

/** The app to look into, in a workerd of its own. */
export function startInspected(): Promise<TestWorker> {
  return TestWorker.start({
    entry: appEntry("inspected"),
    namespaces: TRANSFER_NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
}

/** The value of an operation that has to succeed; else the coded error is thrown. */
export async function inspectApp(worker: TestWorker, operation: string, body: object): Promise<Loose> {
  return (await admin(worker, `inspect/${operation}`, body)).value;
}

/** The code of an operation that has to be refused. */
export async function refusal(worker: TestWorker, operation: string, body: object): Promise<string> {
  const value = await inspectApp(worker, operation, body).catch((error: Loose) => ({ code: error.code as string }));
  if (typeof value?.code !== "string") throw new Error(`${operation} succeeded with ${JSON.stringify(value)}`);
  return value.code;
}

/** All of a paged operation's items. */
export async function allPages(worker: TestWorker, operation: string, body: object, items: string): Promise<Loose[]> {
  const all: Loose[] = [];
  let cursor: string | null = null;
  do {
    const page: Loose = await inspectApp(worker, operation, { ...body, cursor });
    all.push(...page[items]);
    cursor = page.cursor;
  } while (cursor !== null);
  return all;
}

/** Files of the shards that are there: reading must not make one. */
export async function shardFiles(worker: TestWorker): Promise<string[]> {
  const files = await readdir(`${worker.directory}/storage/test-ShardDO`);
  return files.filter((file) => file.endsWith(".sqlite")).sort();
}
