import { createElement, StrictMode } from "react";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import type { TestWorker } from "../../do/testing/workerd.ts";
import { eventually, hydrate, unmountAll } from "../testing/dom.ts";
import { add, list, startNotes, WatchedClient } from "../testing/notes.ts";
import { LunoraProvider, useConnectionStatus, usePreloadedQuery, useQuery } from "./index.ts";
import { preloadedResult, preloadQuery } from "./server.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await startNotes();
});

afterAll(() => worker.stop());

afterEach(unmountAll);

it("what a server preloads shows at once in the page, and is live from there", async () => {
  const args = { room: "preloaded" };
  const server = new WatchedClient(worker.origin);
  await server.client.mutation(add, { ...args, place: 1, text: "one" });
  const travelled = JSON.parse(JSON.stringify(await preloadQuery(server.client, list, args))) as Awaited<
    ReturnType<typeof preloadQuery<typeof list>>
  >;
  expect(preloadedResult(travelled).map(({ text }) => text)).toEqual(["one"]);

  const seen: string[] = [];
  const Notes = (): ReactNode => {
    // A new object in each render, as frameworks hand it over.
    const notes = usePreloadedQuery({ ...travelled });
    const live = useQuery(list, { room: "elsewhere" });
    const text = `${notes.map((note) => note.text).join(" ")} ${live === undefined ? "loading" : "there"}`;
    seen.push(text);
    useConnectionStatus();
    return text;
  };
  const app = (watched: WatchedClient): ReactNode =>
    createElement(StrictMode, null, createElement(LunoraProvider, { client: watched.client }, createElement(Notes)));
  const html = renderToString(app(server));
  expect(html).toBe("one loading");
  server.client.close();

  const page = new WatchedClient(worker.origin);
  const mismatches: unknown[] = [];
  seen.length = 0;
  const rendered = hydrate(html, app(page), (error) => mismatches.push(error));
  await eventually("all is live", () => rendered.text() === "one there");
  await page.client.mutation(add, { ...args, place: 2, text: "two" });
  await eventually("the change is there", () => rendered.text() === "one two there");
  expect(mismatches).toEqual([]);
  expect(seen.filter((text) => !text.startsWith("one"))).toEqual([]);
  expect(page.count("subscribe")).toBe(2);
  unmountAll();
  page.client.close();
});
