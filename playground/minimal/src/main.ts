import { LunoraClient } from "lunorash/client";
import { api } from "../lunora/_generated/api.js";

const client = new LunoraClient({ url: location.origin });
const form = document.querySelector("form") as HTMLFormElement;
const list = document.querySelector("ul") as HTMLUListElement;
const alert = document.querySelector("[role=alert]") as HTMLParagraphElement;

/** Does `work` and shows on the page why it failed, if it did. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    alert.textContent = "";
  } catch (error) {
    alert.textContent = String(error);
  }
}

async function show(): Promise<void> {
  const notes = await client.query(api.notes.list, {});
  list.replaceChildren(...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note.text })));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = String(new FormData(form).get("text"));
  void attempt(async () => {
    await client.mutation(api.notes.add, { text });
    form.reset();
    await show();
  });
});

void attempt(show);
