import type { LunoraClient, OptimisticStore } from "lunorash/client";
import { decodeIdShard } from "lunorash/protocol";
import { api } from "../lunora/_generated/api.js";
import type { Doc, Id } from "../lunora/_generated/dataModel.js";

/** A message as the list shows it. */
export interface ShownMessage extends Doc<"messages"> {
  /** What the server has not confirmed yet: the message, or a change of it. */
  readonly pending?: "message" | "change";
}

/** As long as the list that the server gives. */
const LIST_LENGTH = 50;

/** When a message was first shown. The updates run again over each new result and have to agree with themselves. */
const shownSince = new Map<string, number>();

/**
 * What the mutations will have done, shown at once. Registered with the client rather than given with
 * each call, so that they also show what an earlier page left in the queue.
 */
export function registerOptimisticUpdates(client: LunoraClient): void {
  client.registerOptimistic(api.messages.send, (store, { channelId, author, body }) => {
    // The id that the server will give: the message stays the same one when it is confirmed.
    const _id = store.deriveId("messages", 0) as Id<"messages">;
    change(store, channelId, (messages) =>
      [{ _id, _creationTime: since(_id), channelId, author, body, pending: "message" as const }, ...messages].slice(
        0,
        LIST_LENGTH,
      ),
    );
  });
  client.registerOptimistic(api.messages.edit, (store, { id, body }) => {
    change(store, channelOf(id), (messages) =>
      messages.map((message) =>
        message._id === id
          ? { ...message, body: body.trim(), editedAt: since(`${id} ${body}`), pending: "change" as const }
          : message,
      ),
    );
  });
  client.registerOptimistic(api.messages.remove, (store, { id }) => {
    change(store, channelOf(id), (messages) => messages.filter((message) => message._id !== id));
  });
}

/** The channel that a message's id carries. */
export function channelOf(id: Id<"messages">): Id<"channels"> {
  return decodeIdShard(id) as Id<"channels">;
}

function change(
  store: OptimisticStore,
  channelId: Id<"channels">,
  update: (messages: readonly ShownMessage[]) => ShownMessage[],
): void {
  const messages = store.getQuery(api.messages.list, { channelId });
  if (messages !== undefined) store.setQuery(api.messages.list, { channelId }, update(messages));
}

function since(what: string): number {
  const time = shownSince.get(what) ?? Date.now();
  shownSince.set(what, time);
  return time;
}
