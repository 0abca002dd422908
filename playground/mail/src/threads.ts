import type { LunoraClient, Subscription } from "lunorash/client";
import { api } from "../lunora/_generated/api.js";
import type { Id } from "../lunora/_generated/dataModel.js";

/** A line of the list. */
export interface Thread {
  readonly _id: Id<"threads">;
  readonly title: string;
  readonly guest: string;
}

/** What the list and the open thread are told by; another takes its place. */
let list: Subscription<unknown> | undefined;
let messages: Subscription<unknown> | undefined;

function item(...content: (Node | string)[]): HTMLLIElement {
  const made = document.createElement("li");
  made.append(...content);
  return made;
}

/** Keeps the list of threads up to date. */
export function showThreads(client: LunoraClient, into: HTMLElement, open: (thread: Thread) => void): void {
  list?.unsubscribe();
  list = client.subscribe(api.threads.list, {}, (threads) => {
    const items = threads.map((thread) => {
      const button = Object.assign(document.createElement("button"), { textContent: thread.title });
      button.addEventListener("click", () => open(thread));
      return item(button, ` with ${thread.guest}`);
    });
    into.replaceChildren(...items);
  });
}

/** Shows a thread, and each answer as it comes. */
export function openThread(client: LunoraClient, { _id, title }: Thread): void {
  const section = document.querySelector("#thread") as HTMLElement;
  section.hidden = false;
  (section.querySelector("h2") as HTMLElement).textContent = title;
  messages?.unsubscribe();
  messages = client.subscribe(api.threads.messages, { threadId: _id }, (all) => {
    section
      .querySelector("ul")
      ?.replaceChildren(
        ...all.map(({ author, body }) =>
          item(Object.assign(document.createElement("strong"), { textContent: author }), `\n${body}`),
        ),
      );
  });
}
