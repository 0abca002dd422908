import { mintId } from "lunorash/protocol";
import { useState } from "react";
import { api } from "../lunora/_generated/api.js";
import type { Id } from "../lunora/_generated/dataModel.js";
import { client } from "./client.js";

/** A message that is not in the list yet. */
export interface Outgoing {
  /** Also names the mutation, so that a repeated send stores the message once. */
  readonly key: string;
  readonly author: string;
  readonly body: string;
  readonly time: number;
  /** Known once the server has stored it. */
  readonly id?: Id<"messages">;
  readonly error?: unknown;
}

export interface Outbox {
  readonly items: readonly Outgoing[];
  readonly send: (author: string, body: string) => Promise<void>;
  readonly retry: (key: string) => Promise<void>;
  readonly discard: (key: string) => void;
}

/** Sends messages and holds each until the list, asked again, has it. */
export function useOutbox(channelId: Id<"channels">, refetch: () => Promise<void>): Outbox {
  const [items, setItems] = useState<readonly Outgoing[]>([]);

  function change(item: Outgoing): void {
    setItems((all) => all.map((other) => (other.key === item.key ? item : other)));
  }

  function discard(key: string): void {
    setItems((all) => all.filter((item) => item.key !== key));
  }

  async function deliver(item: Outgoing): Promise<void> {
    const { key, author, body } = item;
    try {
      const id = await client.mutation(api.messages.send, { channelId, author, body }, { mutationId: key });
      change({ ...item, id });
      await refetch();
      discard(key);
    } catch (error) {
      change({ ...item, error });
    }
  }

  return {
    items,
    discard,
    send: async (author, body) => {
      const item = { key: mintId(crypto.getRandomValues(new Uint8Array(16))), author, body, time: Date.now() };
      setItems((all) => [...all, item]);
      await deliver(item);
    },
    retry: async (key) => {
      const failed = items.find((item) => item.key === key);
      if (failed === undefined) return;
      const { error: _, ...item } = failed;
      change(item);
      await deliver(item);
    },
  };
}
