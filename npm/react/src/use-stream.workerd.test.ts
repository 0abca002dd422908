import { setTimeout as pause } from "node:timers/promises";

import { createElement, StrictMode, useState } from "react";
import type { ReactNode } from "react";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import { LunoraClient } from "@lunora/client";
import { functionReference } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";

import { appEntry, inspect, NAMESPACES } from "../../do/testing/client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { eventually, render, unmountAll } from "../testing/dom.ts";
import type { Rendered } from "../testing/dom.ts";
import { LunoraProvider, useStream } from "./index.ts";

type Stream<Arguments, Chunk> = FunctionReference<"stream", Arguments, Chunk, "public">;

const root = { kind: "root" } as const;
const count: Stream<{ to: number; fail?: number }, number> = functionReference("streams:count", "stream", root);
const gated: Stream<{ name: string; chunks: number }, string> = functionReference("streams:gated", "stream", root);

let worker: TestWorker;
let client: LunoraClient;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("streams"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

afterEach(() => {
  unmountAll();
  client?.close();
});

function show(component: () => ReactNode): Rendered {
  client = new LunoraClient({ url: worker.origin });
  const app = createElement(LunoraProvider, { client }, createElement(component));
  return render(createElement(StrictMode, null, app));
}

const shows = (page: Rendered, text: string): Promise<void> =>
  eventually(`the page shows \`${text}\``, () => page.text() === text);

/** Waits until the generator of this name has done so. */
async function hasDone(name: string, field: string, value: unknown): Promise<void> {
  while ((await inspect(worker, "seen", name))?.[field] !== value) await pause(10);
}

/** Lets the generator yield. */
async function pass(name: string): Promise<void> {
  while (!(await inspect(worker, "pass", name))) await pause(10);
}

it("shows chunks as they come, and others for other arguments", async () => {
  let setTo: (to: number | "skip") => void = () => {};
  const page = show(() => {
    const [to, set] = useState<number | "skip">("skip");
    setTo = set;
    const { status, chunks } = useStream(count, to === "skip" ? "skip" : { to });
    return `${status} ${chunks.join(",")}`;
  });
  await shows(page, "skipped ");
  setTo(3);
  await shows(page, "complete 1,2,3");
  setTo(1);
  await shows(page, "complete 1");
  expect(page.text()).toBe("complete 1");
});

it("shows the error after what came before it", async () => {
  const page = show(() => {
    const { status, error, chunks } = useStream(count, { to: 3, fail: 2 });
    return `${status} ${error?.code ?? ""} ${chunks.join(",")}`;
  });
  await shows(page, "error CONFLICT 1");
  expect(page.text()).toBe("error CONFLICT 1");
});

it("runs once in StrictMode, again when it is asked to, and is given up with its component", async () => {
  let restart: () => void = () => {};
  const page = show(() => {
    const stream = useStream(gated, { name: "mounted", chunks: 1 });
    ({ restart } = stream);
    return `${stream.status} ${stream.chunks.length}`;
  });
  await hasDone("mounted", "starts", 1);
  await pass("mounted");
  await shows(page, "complete 1");
  restart();
  await shows(page, "connecting 0");
  await hasDone("mounted", "starts", 2);
  page.unmount();
  await hasDone("mounted", "aborted", true);
  expect((await inspect(worker, "seen", "mounted")).starts).toBe(2);
});
