// The test app as a client sees it, and a client whose connection can be watched and cut.
import { LunoraClient } from "@lunora/client";
import type { ClientEnvironment } from "@lunora/client";
import { shapes } from "@lunora/client/shapes";
import { functionReference, shapeReference } from "@lunora/protocol";
import type { FunctionReference, ShapeReference } from "@lunora/protocol";

import { NAMESPACES } from "../../do/testing/client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";

export interface Note {
  readonly _id: string;
  readonly _creationTime: number;
  readonly room: string;
  readonly place: number;
  readonly text: string;
}

type NewNote = Omit<Note, "_id" | "_creationTime">;
type PageRequest = { numItems: number; cursor: string | null; endCursor?: string };
type Page = { page: Note[]; isDone: boolean; continueCursor: string };
type Query<Arguments, Result> = FunctionReference<"query", Arguments, Result, "public">;
type Mutation<Arguments, Result> = FunctionReference<"mutation", Arguments, Result, "public">;

const byRoom = { kind: "argument", argument: "room", field: "room" } as const;

export const list: Query<{ room: string }, Note[]> = functionReference("notes:list", "query", byRoom);
export const page: Query<{ room: string; paginationOpts: PageRequest }, Page> = functionReference(
  "notes:page",
  "query",
  byRoom,
);
/** Refused while the room is empty. */
export const first: Query<{ room: string }, string> = functionReference("notes:first", "query", byRoom);
export const add: Mutation<NewNote, string> = functionReference("notes:add", "mutation", byRoom);
export const remove: Mutation<{ id: string }, null> = functionReference("notes:remove", "mutation", {
  kind: "id",
  argument: "id",
  table: "notes",
  field: "room",
});
export const shout: FunctionReference<"action", { text: string }, string, "public"> = functionReference(
  "notes:shout",
  "action",
  { kind: "worker" },
);
export const notesOf: ShapeReference<{ room: string }, Note> = shapeReference("notesOf", "notes", byRoom);
export const addNote: Mutation<NewNote, string> = functionReference("mutators:addNote", "mutation", byRoom);

/** Starts workerd with the test app. */
export function startNotes(): Promise<TestWorker> {
  return TestWorker.start({ entry: new URL("./app.ts", import.meta.url).pathname, namespaces: NAMESPACES });
}

/** A real client over a real socket. */
export class WatchedClient {
  readonly client: LunoraClient;
  /** Frames that were sent. */
  readonly sent: { readonly type: string }[] = [];
  readonly #sockets = new Set<WebSocket>();
  #isCut = false;

  constructor(url: string) {
    const open = (socketUrl: string, protocols: string[]): WebSocket => this.#open(socketUrl, protocols);
    this.client = new LunoraClient({
      url,
      shapes,
      environment: {
        WebSocket: function (socketUrl: string, protocols: string[]) {
          return open(socketUrl, protocols);
        } as unknown as NonNullable<ClientEnvironment["WebSocket"]>,
      },
    });
  }

  /** How many frames of this type were sent. */
  count(type: string): number {
    return this.sent.filter((frame) => frame.type === type).length;
  }

  /** Closes the socket and lets no other be made. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.close();
  }

  mend(): void {
    this.#isCut = false;
  }

  #open(url: string, protocols: string[]): WebSocket {
    // A port that nobody listens on.
    const socket = new WebSocket(this.#isCut ? "ws://127.0.0.1:9" : url, protocols);
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      if (String(text).startsWith("{")) this.sent.push(JSON.parse(String(text)) as { type: string });
      send(text);
    };
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
