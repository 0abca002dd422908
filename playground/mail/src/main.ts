import { LunoraClient } from "lunorash/client";
import { api } from "../lunora/_generated/api.js";
import { openThread, showThreads } from "./threads.js";
import type { Thread } from "./threads.js";

const KEY = "session";

let opened: Thread | undefined;

const client = new LunoraClient({ url: location.origin });
const find = <Found extends HTMLElement>(selector: string): Found => document.querySelector(selector) as Found;

/** Does `work` and shows on the page why it failed, if it did. */
async function attempt(work: () => Promise<void>): Promise<void> {
  const alert = find("[role=alert]");
  try {
    await work();
    alert.textContent = "";
  } catch (error) {
    alert.textContent = error instanceof Error ? error.message : String(error);
  }
}

function onSubmit(selector: string, work: (values: Record<string, string>) => Promise<void>): void {
  const form = find<HTMLFormElement>(selector);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    void attempt(async () => {
      await work(values);
      form.reset();
    });
  });
}

async function show(): Promise<void> {
  const session = localStorage.getItem(KEY);
  client.setAuthToken(session);
  const me = session === null ? null : await client.query(api.signIn.me, {});
  find("#sign-in").hidden = me !== null;
  find("#home").hidden = me === null;
  find("#me").textContent = me;
  if (me !== null)
    showThreads(client, find("#threads"), (thread) => {
      opened = thread;
      openThread(client, thread);
    });
}

/** The token of a link stands after `#`, and leaves the address as soon as it was read. */
async function followLink(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname);
  localStorage.setItem(KEY, await client.action(api.signIn.complete, { token }));
}

onSubmit("#sign-in form", async ({ email = "" }) => {
  await client.action(api.signIn.request, { email });
  find("[role=status]").textContent = `If ${email} can get mail, there is a link in it.`;
});
onSubmit("#start", async ({ title = "", guest = "", body = "" }) => {
  await client.action(api.threads.start, { title, guest, body });
});
onSubmit("#thread form", async ({ body = "" }) => {
  if (opened !== undefined) await client.action(api.threads.say, { threadId: opened._id, body });
});
find("#sign-out").addEventListener("click", () => {
  localStorage.removeItem(KEY);
  location.reload();
});
addEventListener("hashchange", () => void attempt(followLink).then(() => attempt(show)));

await attempt(followLink);
await attempt(show);
