/// <reference types="node" />
import { createCollection, createLiveQueryCollection, eq } from "@tanstack/db";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { TestWorker } from "../../do/testing/workerd.ts";
import { add, addNote, notesOf, remove, startNotes, WatchedClient } from "../../react/testing/notes.ts";
import type { Note } from "../../react/testing/notes.ts";
import { bindMutators, lunoraCollectionOptions } from "./index.ts";

let worker: TestWorker;
let watched: WatchedClient;
let other: WatchedClient;
let rooms = 0;
let room: string;

beforeAll(async () => {
  worker = await startNotes();
});

afterAll(() => worker?.stop());

beforeEach(() => {
  watched = new WatchedClient(worker.origin);
  other = new WatchedClient(worker.origin);
  rooms += 1;
  room = `room ${rooms}`;
});

afterEach(() => {
  watched.client.close();
  other.client.close();
});

const notesIn = (name: string) =>
  createCollection(lunoraCollectionOptions({ client: watched.client, shape: notesOf, args: { room: name } }));
const write = (place: number, text = `${place}`): Promise<string> => other.client.mutation(add, { room, place, text });
const textsOf = (notes: Iterable<Note>): string[] => Array.from(notes, ({ text }) => text).sort();

async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (let round = 0; round < 3000; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain until ${what}`);
}

describe("a collection", () => {
  it("has the rows of its shape, and follows them", async () => {
    const id = await write(1);
    const notes = notesIn(room);
    await notes.preload();
    expect(textsOf(notes.values())).toEqual(["1"]);
    expect(notes.get(id)?.place).toBe(1);
    await write(2);
    await eventually("the second note is there", () => notes.size === 2);
    await other.client.mutation(remove, { id });
    await eventually("the first note is gone", () => notes.size === 1);
    expect(textsOf(notes.values())).toEqual(["2"]);
    expect(watched.count("shape_subscribe")).toBe(1);
  });

  it("is what live queries run over", async () => {
    const notes = notesIn(room);
    const late = createLiveQueryCollection((query) =>
      query
        .from({ note: notes })
        .where(({ note }) => eq(note.place, 2))
        .select(({ note }) => ({ id: note._id, text: note.text })),
    );
    await late.preload();
    await write(1, "early");
    await write(2, "late");
    await eventually("the late note is there", () => late.size === 1);
    expect([...late.values()].map(({ text }) => text)).toEqual(["late"]);
  });

  it("starts again after it was cleaned up", async () => {
    const notes = notesIn(room);
    await write(1);
    await notes.preload();
    await notes.cleanup();
    await write(2);
    await notes.preload();
    await eventually("both notes are there", () => notes.size === 2);
  });

  it("says that its shape is refused", async () => {
    const none = { ...notesOf, name: "noSuchShape" };
    const notes = createCollection(lunoraCollectionOptions({ client: watched.client, shape: none, args: { room } }));
    await expect(notes.preload()).rejects.toMatchObject({ code: expect.any(String) });
    expect(notes.status).toBe("error");
  });
});

describe("a mutator", () => {
  it("shows at once, and neither goes nor doubles when it is confirmed", async () => {
    const notes = notesIn(room);
    await notes.preload();
    const mutators = bindMutators(
      watched.client,
      { collections: { notes } },
      { addNote: { mutation: addNote, apply: (tables, args) => tables.notes.insert(args) } },
    );
    const seen: string[][] = [];
    notes.subscribeChanges(() => seen.push(textsOf(notes.values())));
    await write(0, "theirs");
    await eventually("their note is there", () => notes.size === 1);
    const transactions = ["a", "b", "c"].map((text, place) => mutators.addNote({ room, place, text }));
    expect(textsOf(notes.values())).toEqual(["a", "b", "c", "theirs"]);
    const shown = [...notes.keys()].sort();
    expect(transactions.map(({ state }) => state)).toEqual(["persisting", "persisting", "persisting"]);
    const ids = await Promise.all(transactions.map(({ isPersisted }) => isPersisted.promise));
    expect(transactions.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
    expect([...notes.keys()].sort()).toEqual(shown);
    expect(shown).toEqual(expect.arrayContaining(ids));
    await write(9, "more");
    await eventually("the next note is there", () => notes.size === 5);
    for (const text of ["a", "b", "c", "theirs"]) {
      const first = seen.findIndex((moment) => moment.includes(text));
      for (const moment of seen.slice(first)) expect(moment.filter((one) => one === text)).toEqual([text]);
    }
  });

  it("is taken back when it is refused", async () => {
    const notes = notesIn(room);
    await notes.preload();
    const mutators = bindMutators(
      watched.client,
      { collections: { notes } },
      { addNote: { mutation: addNote, apply: (tables, args) => tables.notes.insert(args) } },
    );
    const transaction = mutators.addNote({ room, place: 1, text: "" });
    expect(notes.size).toBe(1);
    await expect(transaction.isPersisted.promise).rejects.toMatchObject({ code: "TEXT_MISSING" });
    expect(transaction).toMatchObject({ state: "failed", error: { code: "TEXT_MISSING" } });
    expect(notes.size).toBe(0);
  });

  it("runs again over what others changed meanwhile", async () => {
    const notes = notesIn(room);
    await notes.preload();
    const mutators = bindMutators(
      watched.client,
      { collections: { notes } },
      {
        addNote: {
          mutation: addNote,
          apply: async (tables, args) => {
            const before = await tables.notes.rows();
            const id = await tables.notes.insert(args);
            await tables.notes.patch(id, { text: `${args.text} of ${before.length}` });
          },
        },
      },
    );
    watched.cut();
    const transaction = mutators.addNote({ room, place: 1, text: "mine" });
    expect(notes.size).toBe(0);
    await Promise.resolve();
    await eventually("it is shown", () => notes.size === 1);
    expect(textsOf(notes.values())).toEqual(["mine of 0"]);
    await write(2, "theirs");
    watched.mend();
    await transaction.isPersisted.promise;
    expect(textsOf(notes.values())).toEqual(["mine", "theirs"]);
  });
});
