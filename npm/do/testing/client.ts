import { decodeValue, encodeValue } from "@lunora/protocol";

import type { TestWorker } from "./workerd.ts";
import type { Loose } from "./loose.ts";

/** The answer to a call, decoded. */
export interface Answer {
  readonly status: number;
  readonly result?: Loose;
  readonly error?: { readonly code: string; readonly message: string; readonly data?: Loose };
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly shardKey?: string;
}

/** Posts a call as any client does. */
export async function call(
  worker: TestWorker,
  functionPath: string,
  args: object = {},
  options: CallOptions = {},
): Promise<Answer> {
  const { token, headers = {}, shardKey } = options;
  const response = await worker.fetch("/_lunora/rpc", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ functionPath, args: encodeValue(args), ...(shardKey === undefined ? {} : { shardKey }) }),
  });
  const body = (await response.json()) as {
    result?: unknown;
    error?: { code: string; message: string; data?: unknown };
  };
  if (body.error !== undefined)
    return { status: response.status, error: { ...body.error, data: decodeValue(body.error.data) } };
  return { status: response.status, result: decodeValue(body.result) };
}

/** The result of a call that has to succeed. */
export async function result(
  worker: TestWorker,
  functionPath: string,
  args: object = {},
  options: CallOptions = {},
): Promise<Loose> {
  const answer = await call(worker, functionPath, args, options);
  if (answer.error !== undefined)
    throw new Error(
      `${functionPath}: ${answer.error.code}: ${answer.error.message} ${JSON.stringify(answer.error.data)}\n${worker.takeOutput()}`,
    );
  return answer.result;
}

/** The code of a call that has to fail. */
export async function code(
  worker: TestWorker,
  functionPath: string,
  args: object = {},
  options: CallOptions = {},
): Promise<string> {
  const answer = await call(worker, functionPath, args, options);
  if (answer.error === undefined) throw new Error(`${functionPath} succeeded with ${JSON.stringify(answer.result)}`);
  return answer.error.code;
}

/** What every app of these tests has. */
export const NAMESPACES: readonly { readonly binding: string; readonly className: string }[] = [
  { binding: "SHARD", className: "ShardDO" },
  { binding: "SHARD_REGISTRY", className: "ShardRegistryDO" },
];

/** Options of a worker whose app, made with `asGlobal`, keeps the tables of the root in D1. */
export const ALL_GLOBAL: { readonly d1: true; readonly define: Readonly<Record<string, string>> } = {
  d1: true,
  define: { ALL_GLOBAL: "true" },
};

/** The path of one of the apps beside this file. */
export function appEntry(name: string): string {
  return new URL(`./apps/${name}.ts`, import.meta.url).pathname;
}

/** Asks the test app's own methods, which look behind the store. */
export async function inspect(
  worker: TestWorker,
  method: string,
  argument: unknown,
  object = "__root__",
): Promise<Loose> {
  const response = await worker.fetch(`/test?object=${encodeURIComponent(object)}`, {
    method: "POST",
    body: JSON.stringify({ method, argument }),
  });
  if (!response.ok) throw new Error(`${method}: ${response.status}\n${worker.takeOutput()}`);
  return response.json();
}

/** A step on a table. */
export function step(
  table: string,
  method: string,
  ...args: unknown[]
): { table: string; method: string; args: unknown[] } {
  return { table, method, args };
}

/** Results of steps in one mutation of the store app. */
export async function write(worker: TestWorker, ...steps: object[]): Promise<Loose[]> {
  return result(worker, "store:write", { steps });
}

/** Results of steps in one query of the store app. */
export async function read(worker: TestWorker, ...steps: object[]): Promise<Loose[]> {
  return result(worker, "store:read", { steps });
}
