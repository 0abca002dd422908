// Somebody who edits the app of the hot-edit test: functions, columns, broken code.
import { call, until } from "./app.ts";
import type { Program, TestApp } from "./app.ts";
import { randomNumbers } from "./seed.ts";

/** Makes the edits, each of a kind that chance chooses, and waits until it is seen. */
export class Editor {
  readonly #app: TestApp;
  readonly #url: string;
  readonly #vite: Program;
  readonly #random = randomNumbers();
  /** What `notes:version` answers when the newest good code is served. */
  #version = 0;
  #columns: readonly string[] = [];
  #columnsMade = 0;

  constructor(app: TestApp, url: string, vite: Program) {
    this.#app = app;
    this.#url = url;
    this.#vite = vite;
  }

  /** `writeOn` is called while broken code lies in the folder. */
  async edit(writeOn: () => Promise<void>): Promise<void> {
    const kinds = [
      () => this.#editFunction(),
      () => this.#saveInBursts(),
      () => this.#addColumn(),
      () => (this.#columns.length === 0 ? this.#addColumn() : this.#removeColumn()),
      () => this.#breakAndRepair("lunora/notes.ts", "\nexport const broken = ;\n", "SYNTAX_ERROR", writeOn),
      () => this.#breakAndRepair("lunora/schema.ts", "\nexport const broken = (;\n", "SYNTAX_ERROR", writeOn),
      () => this.#breakAndRepair("lunora/entries.ts", '\nexport { it } from "./nowhere";\n', "nowhere", writeOn),
      () => this.#breakAndRepair("lunora/schema.ts", '\nthrow new Error("at start");\n', "at start", writeOn),
    ];
    await kinds[Math.floor(this.#random() * kinds.length)]?.();
  }

  async #editFunction(): Promise<void> {
    this.#bumpVersion();
    await this.#isServed();
  }

  async #saveInBursts(): Promise<void> {
    for (let save = 0; save < 5; save += 1) {
      this.#bumpVersion();
      await new Promise((resolve) => setTimeout(resolve, this.#random() * 40));
    }
    await this.#isServed();
  }

  #bumpVersion(): void {
    this.#version += 1;
    this.#app.edit("lunora/notes.ts", `query(() => ${this.#version - 1})`, `query(() => ${this.#version})`);
  }

  #isServed(): Promise<unknown> {
    return until("the edit is served", async () => (await call(this.#url, "notes:version")) === this.#version);
  }

  async #addColumn(): Promise<void> {
    this.#columnsMade += 1;
    await this.#setColumns([...this.#columns, `column${this.#columnsMade}`]);
  }

  async #removeColumn(): Promise<void> {
    const gone = Math.floor(this.#random() * this.#columns.length);
    await this.#setColumns(this.#columns.filter((_, index) => index !== gone));
  }

  async #setColumns(columns: readonly string[]): Promise<void> {
    this.#columns = columns;
    const text = columns.map((column) => `${column}: v.number().default(7), `).join("");
    this.#app.write(
      "lunora/schema.ts",
      this.#app
        .read("lunora/schema.ts")
        .replace(/text: v\.string\(\), .*\/\* columns \*\//, `text: v.string(), ${text}/* columns */`),
    );
    await until("the types know the columns", () => {
      const model = this.#app.read("lunora/_generated/dataModel.ts");
      return [...model.matchAll(/^ {2}(column\d+): number;$/gm)].map(([, column]) => column).join() === columns.join();
    });
    const expected = [...columns, "_creationTime", "_id", "text"].toSorted().join();
    await until(`a new row has ${expected}`, async () => {
      const row = (await call(this.#url, "notes:newest")) as Record<string, unknown>;
      return Object.keys(row).toSorted().join() === expected && columns.every((column) => row[column] === 7);
    });
  }

  async #breakAndRepair(path: string, breakage: string, said: string, writeOn: () => Promise<void>): Promise<void> {
    const good = this.#app.read(path);
    const seen = this.#vite.output.length;
    this.#app.write(path, `${good}${breakage}`);
    await until(`the error is told: ${said}`, () => this.#vite.output.slice(seen).includes(said));
    await writeOn();
    const served = await call(this.#url, "notes:version");
    if (served !== this.#version) throw new Error(`version ${this.#version} was good, but ${String(served)} is served`);
    const repaired = this.#vite.output.length;
    this.#app.write(path, good);
    await until("the repair is noticed", () => this.#vite.output.slice(repaired).includes("all errors are gone"));
  }
}
