import type { LunoraError, SettledMutation } from "lunorash/client";
import { useSyncExternalStore } from "react";
import type { ArgumentsOf } from "lunorash/protocol";
import { api } from "../lunora/_generated/api.js";
import type { Id } from "../lunora/_generated/dataModel.js";
import { client } from "./client.js";
import { channelOf } from "./optimistic-updates.js";

/** What the server did not accept, with what it takes to try again. */
export interface Refusal {
  readonly key: string;
  readonly channelId: Id<"channels">;
  readonly error: LunoraError;
  /** The text that was to be sent or saved; absent for a deletion. */
  readonly body: string | undefined;
  readonly retry: () => void;
}

const listeners = new Set<() => void>();
let refusals: readonly Refusal[] = [];

// Also tells of messages that an earlier page had queued and nobody waits for any more.
client.onMutationSettled((settled) => {
  const refusal = refusalOf(settled);
  if (refusal !== undefined) set([...refusals, refusal]);
});

/** Everything refused on this page that was neither tried again nor discarded. */
export function useRefusals(): readonly Refusal[] {
  return useSyncExternalStore(subscribe, () => refusals);
}

export function discardRefusal(key: string): void {
  set(refusals.filter((refusal) => refusal.key !== key));
}

/** For mutations whose refusal is shown by {@link useRefusals}. */
export function isTold(): void {}

function refusalOf({ status, path, args, mutationId: key, error }: SettledMutation): Refusal | undefined {
  if (status !== "rejected" || error === undefined) return undefined;
  if (path === api.messages.send.path) {
    const message = args as ArgumentsOf<typeof api.messages.send>;
    const retry = (): void => void client.mutation(api.messages.send, message).catch(isTold);
    return { key, channelId: message.channelId, body: message.body, error, retry };
  }
  if (path === api.messages.edit.path) {
    const edit = args as ArgumentsOf<typeof api.messages.edit>;
    const retry = (): void => void client.mutation(api.messages.edit, edit).catch(isTold);
    return { key, channelId: channelOf(edit.id), body: edit.body, error, retry };
  }
  if (path === api.messages.remove.path) {
    const removal = args as ArgumentsOf<typeof api.messages.remove>;
    const retry = (): void => void client.mutation(api.messages.remove, removal).catch(isTold);
    return { key, channelId: channelOf(removal.id), body: undefined, error, retry };
  }
  return undefined;
}

function set(next: readonly Refusal[]): void {
  refusals = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
