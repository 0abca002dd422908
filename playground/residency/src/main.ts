import { LunoraClient } from "lunorash/client";
import { api } from "../lunora/_generated/api.js";
import { whereBytesAre } from "./where-bytes-are.js";

const client = new LunoraClient({ url: location.origin });
const find = <Found extends Element>(selector: string): Found => document.querySelector(selector) as Found;
const form = find<HTMLFormElement>("form");

/** Does `work` and shows on the page why it failed, if it did. */
async function attempt(work: () => Promise<void>): Promise<void> {
  const alert = find("[role=alert]");
  try {
    await work();
    alert.textContent = "";
  } catch (error) {
    alert.textContent = String(error);
  }
}

function element(name: string, text: string, ...children: Element[]): Element {
  const made = Object.assign(document.createElement(name), { textContent: text });
  made.append(...children);
  return made;
}

let looks = 0;

async function show(): Promise<void> {
  looks += 1;
  const mine = looks;
  const [declared, ships] = await Promise.all([
    client.query(api.region.declared, {}),
    client.query(api.ships.list, {}),
  ]);
  const logbooks = await Promise.all(
    ships.map(async ({ name }) => ({ name, entries: await client.query(api.entries.list, { ship: name }) })),
  );
  // A later look may have been quicker: another worker answered it.
  if (mine !== looks) return;
  const entries = logbooks.reduce((sum, logbook) => sum + logbook.entries.length, 0);
  find("#declared").textContent = declared ?? "none";
  find("#bytes").textContent = whereBytesAre(declared);
  find("#rows").textContent = `${ships.length} in ships, ${entries} in entries`;
  find("#logbooks").replaceChildren(
    ...logbooks.map((logbook) =>
      element(
        "section",
        "",
        element("h2", logbook.name),
        element("ul", "", ...logbook.entries.map((entry) => element("li", entry.text))),
      ),
    ),
  );
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = new FormData(form);
  const [ship, text] = [String(values.get("ship")), String(values.get("text"))];
  void attempt(async () => {
    await client.mutation(api.ships.launch, { name: ship });
    await client.mutation(api.entries.write, { ship, text });
    find<HTMLInputElement>("#text").value = "";
    await show();
  });
});

// A changed declaration is another worker: what it has is looked at without loading the page again.
import.meta.hot?.on("lunora:reloaded", () => void attempt(show));

void attempt(show);
