import type { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue, ROOT_OBJECT } from "@lunora/protocol";
import type { ClientFrame, FunctionReference } from "@lunora/protocol";

import type { LunoraClient } from "./client.ts";
import type { Channel, ChannelEvent, Extension, ExtensionHost } from "./extension.ts";
import { callSafely } from "./observable.ts";

/** Which shard carries the topic: that of a call of this function; the root when left out. */
export interface WhisperPlace {
  readonly reference: Pick<FunctionReference, "address" | "path">;
  readonly args?: unknown;
}

/** Somebody who listens. */
export interface WhisperListener {
  /** `from` is the sender's user id, or a name of its connection. */
  readonly onWhisper: (data: unknown, from: string) => void;
  /** The topic was refused, or a whisper of this page was. */
  readonly onError?: (error: LunoraError) => void;
}

/** Words between the pages that are there: kept nowhere, dropped while there is no connection. */
export interface Topic {
  /** Listens from now on; what it returns ends that. */
  subscribe(listener: WhisperListener | WhisperListener["onWhisper"]): () => void;
  /**
   * Tells everybody else who listens; false when there is no connection, and then nobody is told
   * later either. Somebody on this page has to listen, which keeps the connection.
   */
  send(data: unknown): boolean;
}

class TopicChannel implements Channel, Topic {
  readonly shard: string;
  id = "";
  readonly #name: string;
  readonly #host: ExtensionHost;
  readonly #listeners = new Set<{ readonly listener: WhisperListener }>();

  constructor(host: ExtensionHost, shard: string, name: string) {
    this.#host = host;
    this.shard = shard;
    this.#name = name;
  }

  subscribe(given: WhisperListener | WhisperListener["onWhisper"]): () => void {
    const entry = { listener: typeof given === "function" ? { onWhisper: given } : given };
    this.#listeners.add(entry);
    this.#use();
    return () => {
      if (this.#listeners.delete(entry)) this.#use();
    };
  }

  #use(): void {
    const isUsed = this.#listeners.size > 0;
    if (isUsed === (this.id !== "") || !this.#host.hasSockets) return;
    this.#host.transact(() => {
      if (!isUsed) return this.#host.close(this);
      this.id = this.#name;
      this.#host.open(this);
    });
  }

  send(data: unknown): boolean {
    const encoded = encodeValue(data);
    return (
      this.id !== "" &&
      this.#host.send(this.shard, {
        type: "whisper",
        topic: this.#name,
        ...(encoded !== undefined && { data: encoded }),
      })
    );
  }

  openFrame(): ClientFrame {
    return { type: "whisper_subscribe", topic: this.#name };
  }

  closeFrame(): ClientFrame {
    return { type: "whisper_unsubscribe", topic: this.#name };
  }

  step(event: ChannelEvent): undefined {
    if (event.type !== "failed" && (event.type !== "frame" || event.frame.type !== "whisper")) return;
    for (const { listener } of Array.from(this.#listeners))
      callSafely(() => {
        if (event.type === "failed") listener.onError?.(event.error);
        else if (event.frame.type === "whisper")
          listener.onWhisper(decodeValue(event.frame.data), event.frame.from ?? "");
      }, this.#host.environment.report);
  }
}

/** The topics of one client: a socket carries each once, however many listen. */
const topics: Extension<(name: string, place?: WhisperPlace) => Topic> = (host) => {
  const known = new Map<string, TopicChannel>();
  return (name, place) => {
    const shard = place === undefined ? ROOT_OBJECT : host.shardOf(place.reference, place.args ?? {});
    if (shard === undefined) throw new TypeError(`\`${place?.reference.path}\` is in no single shard`);
    const key = `${shard}\n${name}`;
    let topic = known.get(key);
    if (topic === undefined) known.set(key, (topic = new TopicChannel(host, shard, name)));
    return topic;
  };
};

/** The topic of this name on a shard. The app's `authorizeShard` is asked for `whisper:<name>`. */
export function whispers(client: LunoraClient, name: string, place?: WhisperPlace): Topic {
  return client.extension(topics)(name, place);
}
