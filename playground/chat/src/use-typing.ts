import { useWhisper } from "lunorash/react";
import { useEffect, useRef, useState } from "react";
import { api } from "../lunora/_generated/api.js";
import type { Id } from "../lunora/_generated/dataModel.js";

/** Whoever types says so this often, milliseconds. */
const SAID_EVERY = 1_500;
/** Whoever has not said so for this long has stopped, milliseconds. */
const FORGOTTEN_AFTER = 4_000;

interface Typing {
  /** The names of others who write a message right now. */
  readonly names: readonly string[];
  /** Tells the others that this page types, or has stopped. */
  readonly say: (isTyping: boolean) => void;
}

/** Who is typing in a channel: whispered from page to page, and stored nowhere. */
export function useTyping(channelId: Id<"channels">, author: string): Typing {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const saidAt = useRef(0);

  function forget(from: string): void {
    clearTimeout(timers.current.get(from));
    timers.current.delete(from);
    setNames((before) => new Map([...before].filter(([other]) => other !== from)));
  }

  const whisper = useWhisper(
    "typing",
    (data, from) => {
      const { name, isTyping } = data as { readonly name?: unknown; readonly isTyping?: unknown };
      forget(from);
      if (isTyping !== true || typeof name !== "string") return;
      setNames((before) => new Map(before).set(from, name));
      timers.current.set(
        from,
        setTimeout(() => forget(from), FORGOTTEN_AFTER),
      );
    },
    { reference: api.messages.list, args: { channelId } },
  );

  useEffect(() => {
    const waiting = timers.current;
    return () => {
      for (const timer of waiting.values()) clearTimeout(timer);
    };
  }, []);

  function say(isTyping: boolean): void {
    const now = Date.now();
    if (isTyping && now - saidAt.current < SAID_EVERY) return;
    if (!isTyping && saidAt.current === 0) return;
    saidAt.current = isTyping ? now : 0;
    whisper({ name: author, isTyping });
  }

  return { names: [...new Set(names.values())], say };
}
