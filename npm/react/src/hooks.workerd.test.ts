import { createElement, Component, StrictMode, useState } from "react";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { optimisticallyUpdatePages } from "@lunora/client/pages";

import type { TestWorker } from "../../do/testing/workerd.ts";
import { eventually, render, unmountAll } from "../testing/dom.ts";
import type { Rendered } from "../testing/dom.ts";
import {
  add,
  addNote,
  list,
  notesOf,
  page,
  first,
  remove,
  shout,
  startNotes,
  WatchedClient,
} from "../testing/notes.ts";
import type { Note } from "../testing/notes.ts";
import {
  LunoraProvider,
  useAction,
  useConnectionStatus,
  useLunora,
  useMutation,
  useMutator,
  usePaginatedQuery,
  usePendingCount,
  useQuery,
  useQueryResult,
  useShape,
  useSubscription,
} from "./index.ts";
import type { MutationHandle, PaginatedResult } from "./index.ts";

let worker: TestWorker;
let watched: WatchedClient;
let other: WatchedClient;
let rooms = 0;
let room: string;

beforeAll(async () => {
  worker = await startNotes();
});

afterAll(() => worker.stop());

afterEach(() => {
  unmountAll();
  watched?.client.close();
  other?.client.close();
});

/** Renders a component, made of a hook, in StrictMode. */
function show(component: () => ReactNode): Rendered {
  watched = new WatchedClient(worker.origin);
  other = new WatchedClient(worker.origin);
  rooms += 1;
  room = `room ${rooms}`;
  const app = createElement(LunoraProvider, { client: watched.client }, createElement(component));
  return render(createElement(StrictMode, null, app));
}

const write = (place: number, text = `${place}`): Promise<string> => other.client.mutation(add, { room, place, text });
const textsOf = (notes: readonly Note[] | undefined): string =>
  notes === undefined ? "loading" : `[${notes.map(({ text }) => text).join(" ")}]`;

class Boundary extends Component<{ readonly children: ReactNode }, { readonly error?: { readonly code: string } }> {
  override state: { readonly error?: { readonly code: string } } = {};
  static getDerivedStateFromError(error: { readonly code: string }): { readonly error: { readonly code: string } } {
    return { error };
  }
  override render(): ReactNode {
    return this.state.error === undefined ? this.props.children : `caught ${this.state.error.code}`;
  }
}

describe("queries", () => {
  it("are live, subscribed to once, and not asked again for equal arguments", async () => {
    let renders = 0;
    let again: (value: number) => void = () => {};
    const rendered = show(() => {
      renders += 1;
      [, again] = useState(0);
      return [textsOf(useQuery(list, { room })), textsOf(useQuery(list, { room }))].join(" ");
    });
    await eventually("the list is there", () => rendered.text() === "[] []");
    await write(1);
    await eventually("the note is there", () => rendered.text() === "[1] [1]");
    const before = renders;
    again(1);
    await eventually("it renders again", () => renders > before);
    await write(2);
    await eventually("the other note is there", () => rendered.text() === "[1 2] [1 2]");
    expect(watched.count("subscribe")).toBe(1);
  });

  it("follow their arguments, and rest while they are skipped", async () => {
    let choose: (value: string | undefined) => void = () => {};
    const rendered = show(() => {
      const [chosen, setChosen] = useState<string | undefined>();
      choose = setChosen;
      const { status, data } = useQueryResult(list, chosen === undefined ? "skip" : { room: chosen });
      return `${status} ${textsOf(data)}`;
    });
    expect(rendered.text()).toBe("skipped loading");
    expect(watched.count("subscribe")).toBe(0);
    await write(1);
    choose(room);
    await eventually("the room is there", () => rendered.text() === "live [1]");
    choose(`${room} next door`);
    await eventually("the other room is there", () => rendered.text() === "live []");
    choose(undefined);
    await eventually("it rests", () => rendered.text() === "skipped loading");
  });

  it("throw refusals to the nearest error boundary, or give them as values, and recover", async () => {
    let retry: () => void = () => {};
    const Throwing = (): ReactNode => useQuery(first, { room });
    const rendered = show(() => {
      const [attempt, setAttempt] = useState(1);
      retry = () => setAttempt(attempt + 1);
      const { status, data, error } = useQueryResult(first, { room });
      const boundary = createElement(Boundary, { key: attempt, children: createElement(Throwing) });
      return [`${status} ${error?.code ?? data}, `, boundary];
    });
    await eventually("the refusal is there", () => rendered.text() === "error ROOM_EMPTY, caught ROOM_EMPTY");
    await write(1, "something");
    await eventually("the value has recovered", () => rendered.text() === "live something, caught ROOM_EMPTY");
    retry();
    await eventually("the boundary has recovered", () => rendered.text() === "live something, something");
  });

  it("tell subscriptions without rendering, the newest handler", async () => {
    const told: string[] = [];
    let renders = 0;
    let again: (value: string) => void = () => {};
    const rendered = show(() => {
      renders += 1;
      const [name, setName] = useState("first");
      again = setName;
      useSubscription(list, { room }, (notes) => told.push(`${name} ${textsOf(notes)}`));
      return name;
    });
    await eventually("the first result is told", () => told.includes("first []"));
    again("second");
    await eventually("it renders", () => rendered.text() === "second");
    const before = renders;
    await write(1);
    await eventually("the note is told", () => told.includes("second [1]"));
    expect(renders).toBe(before);
    expect(watched.count("subscribe")).toBe(1);
  });
});

describe("pages", () => {
  it("load, grow where rows are inserted, and end", async () => {
    let pages: PaginatedResult<Note> | undefined;
    const rendered = show(() => {
      pages = usePaginatedQuery(page, { room }, { initialNumItems: 2 });
      return `${pages.status} ${textsOf(pages.results)}`;
    });
    for (const place of [10, 20, 30, 40, 50]) await write(place);
    pages?.reset();
    await eventually("the first page is there", () => rendered.text() === "CanLoadMore [10 20]");
    expect(pages?.loadMore(2)).toBe(true);
    await eventually("the second page is there", () => rendered.text() === "CanLoadMore [10 20 30 40]");
    const id = await write(15);
    await write(35);
    await write(5);
    await eventually("the pages have grown", () => rendered.text() === "CanLoadMore [5 10 15 20 30 35 40]");
    await other.client.mutation(remove, { id });
    await eventually("the page has shrunk", () => rendered.text() === "CanLoadMore [5 10 20 30 35 40]");
    pages?.loadMore(9);
    await eventually("the end is there", () => rendered.text() === "Exhausted [5 10 20 30 35 40 50]");
    await write(60);
    await eventually("the end has grown", () => rendered.text() === "Exhausted [5 10 20 30 35 40 50 60]");
  });

  it("show optimistic updates in whichever of them the rows are", async () => {
    let pages: PaginatedResult<Note> | undefined;
    const seen: string[] = [];
    const rendered = show(() => {
      pages = usePaginatedQuery(page, { room }, { initialNumItems: 2 });
      seen.push(textsOf(pages.results));
      return `${pages.status} ${textsOf(pages.results)}`;
    });
    const ids: string[] = [];
    for (const place of [10, 20, 30, 40]) ids.push(await write(place));
    pages?.reset();
    await eventually("the first page is there", () => rendered.text() === "CanLoadMore [10 20]");
    pages?.loadMore(2);
    await eventually("the second page is there", () => rendered.text().endsWith("[10 20 30 40]"));
    const { client } = watched;
    client.registerOptimistic(add, (store, note) => {
      const row = { ...note, _id: store.deriveId("notes", 0), _creationTime: 0 };
      optimisticallyUpdatePages(store, page, { room }, (rows, { isFirst }) => (isFirst ? [row, ...rows] : rows));
      // Of another room, and so not to be seen.
      optimisticallyUpdatePages(store, page, { room: "elsewhere" }, () => []);
    });
    client.registerOptimistic(remove, (store, { id }) =>
      optimisticallyUpdatePages(store, page, { room }, (rows) => rows.filter(({ _id }) => _id !== id)),
    );
    watched.cut();
    seen.length = 0;
    const calls = [
      client.mutation(add, { room, place: 5, text: "5" }),
      client.mutation(remove, { id: ids[3] ?? "" }),
      client.mutation(remove, { id: ids[0] ?? "" }),
    ];
    await eventually("all three show", () => rendered.text().endsWith("[5 20 30]"));
    watched.mend();
    await Promise.all(calls);
    await eventually("they are confirmed", () => client.pendingCount.getSnapshot() === 0);
    expect(rendered.text()).toMatch(/\[5 20 30\]$/);
    // Neither gone nor double from the first to the last, whatever the server sends meanwhile.
    expect(new Set(seen.slice(seen.indexOf("[5 20 30]")))).toEqual(new Set(["[5 20 30]"]));
  });
});

describe("mutations", () => {
  it("show what is expected at once, and the same row when it is confirmed", async () => {
    let mutation: MutationHandle<typeof add> | undefined;
    const ids = new Set<string>();
    const seen: string[] = [];
    const rendered = show(() => {
      const { data, isOptimistic } = useQueryResult(list, { room });
      mutation = useMutation(add).withOptimisticUpdate((store, args) => {
        const notes = store.getQuery(list, { room: args.room }) ?? [];
        const _id = store.deriveId("notes", 0);
        store.setQuery(list, { room: args.room }, [...notes, { ...args, _id, _creationTime: 0 }]);
      });
      for (const { _id } of data ?? []) ids.add(_id);
      const text = `${textsOf(data)} ${isOptimistic ? "optimistic" : "confirmed"} ${mutation.pending ? "pending" : "idle"}`;
      seen.push(text);
      return text;
    });
    await eventually("the list is there", () => rendered.text() === "[] confirmed idle");
    seen.length = 0;
    const id = await mutation?.({ room, place: 1, text: "new" });
    await eventually("it is confirmed", () => rendered.text() === "[new] confirmed idle");
    expect([...ids]).toEqual([id]);
    // What was rendered, not what a poll happens to see: the answer may be there within milliseconds.
    const firstPending = seen.indexOf("[new] optimistic pending");
    expect(firstPending, seen.join(" | ")).toBeGreaterThanOrEqual(0);
    expect(seen.slice(firstPending).every((text) => text.startsWith("[new]"))).toBe(true);
  });

  it("take back what is refused, and say why until told to forget", async () => {
    let mutation: MutationHandle<typeof add> | undefined;
    const functions = new Set<unknown>();
    const rendered = show(() => {
      const notes = useQuery(list, { room });
      mutation = useMutation(add);
      functions.add(mutation.mutate);
      const code = (mutation.error as { readonly code?: string } | undefined)?.code;
      return `${textsOf(notes)} ${mutation.pending ? "pending" : "idle"} ${code ?? "fine"} ${mutation.data === undefined ? "" : "done"}`;
    });
    await eventually("the list is there", () => rendered.text() === "[] idle fine ");
    const refusal = mutation?.withOptimisticUpdate((store, args) =>
      store.setQuery(list, { room: args.room }, [{ ...args, _id: "x", _creationTime: 0 }]),
    )({
      room,
      place: 1,
      text: "",
    });
    await expect(refusal).rejects.toMatchObject({ code: "TEXT_MISSING" });
    await eventually("it is told", () => rendered.text() === "[] idle TEXT_MISSING ");
    mutation?.reset();
    await eventually("it is forgotten", () => rendered.text() === "[] idle fine ");
    await mutation?.mutate({ room, place: 1, text: "good" });
    await eventually("it is done", () => rendered.text() === "[good] idle fine done");
    expect(functions.size).toBe(1);
  });

  it("wait while there is no connection", async () => {
    const rendered = show(() => `${useConnectionStatus()} ${usePendingCount()} ${textsOf(useQuery(list, { room }))}`);
    await eventually("it is connected", () => rendered.text() === "connected 0 []");
    watched.cut();
    await eventually("it is offline", () => rendered.text() === "offline 0 []");
    const call = watched.client.mutation(add, { room, place: 1, text: "late" });
    await eventually("it waits", () => rendered.text() === "offline 1 []");
    watched.mend();
    await call;
    await eventually("it has arrived", () => rendered.text() === "connected 0 [late]");
  });

  it("run actions with their state", async () => {
    const rendered = show(() => {
      const action = useAction(shout);
      return createElement("button", { onClick: () => void action({ text: "hey" }) }, action.data ?? "quiet");
    });
    rendered.container.querySelector("button")?.click();
    await eventually("it has answered", () => rendered.text() === "HEY");
  });
});

describe("shapes", () => {
  it("are live, and mutators show at once over them", async () => {
    let run: ReturnType<typeof useMutator<typeof addNote>> | undefined;
    const seen: string[] = [];
    const rendered = show(() => {
      const notes = useShape(notesOf, { room });
      run = useMutator(addNote);
      const text =
        notes === undefined
          ? "loading"
          : `[${notes
              .map(({ text: own }) => own)
              .sort()
              .join(" ")}]`;
      seen.push(text);
      return text;
    });
    watched.client.registerMutator(addNote, ({ db }, args) => db.insert("notes", args));
    await eventually("the shape is there", () => rendered.text() === "[]");
    await write(1, "theirs");
    await eventually("the poke is there", () => rendered.text() === "[theirs]");
    seen.length = 0;
    await run?.mutate({ room, place: 2, text: "mine" });
    await eventually("it is there", () => rendered.text() === "[mine theirs]");
    expect(new Set(seen.slice(seen.indexOf("[mine theirs]")))).toEqual(new Set(["[mine theirs]"]));
  });
});

it("hooks without a provider say what is missing", () => {
  const Lost = (): ReactNode => {
    useLunora();
    return null;
  };
  expect(() => renderToString(createElement(Lost))).toThrow("LunoraProvider");
});
