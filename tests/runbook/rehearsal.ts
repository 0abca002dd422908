// An app that is deployed, and moved: `lunora start` is where it runs, a stand-in is where its wrangler deploys to.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program, TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import { UploadApi } from "../support/upload-api.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

export const TOKEN = "a-token-of-sixteen-characters";

const SCHEMA = `import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
  ships: defineTable({ name: v.string() }),
  entries: defineTable({ ship: v.string(), text: v.string() }).shardBy("ship"),
});
`;

const SHIPS = `import { mutation, query, v } from "./_generated/server";
export const list = query.query(({ ctx }) => ctx.db.query("ships").collect());
export const launch = mutation.input({ name: v.string() }).mutation(({ ctx, args }) => ctx.db.insert("ships", args));
`;

const ENTRIES = `import { mutation, query, v } from "./_generated/server";
export const list = query.input({ ship: v.string() }).query(({ ctx }) => ctx.db.query("entries").collect());
export const write = mutation
  .input({ ship: v.string(), text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("entries", args));
`;

const APP = `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`;

export interface End {
  readonly code: number | string;
  readonly output: string;
}

/** Rows and hash of each table. */
export type Tables = Record<string, { readonly rows: number; readonly hash: string }>;

/** An app, a place where it runs, and the shell of the one who moves it. */
export class Rehearsal {
  readonly app: TestApp = TestApp.copyOf("minimal");
  readonly url: string;
  readonly #port: number;
  readonly #uploads: UploadApi;
  #server: Program | undefined;

  private constructor(port: number, uploads: UploadApi) {
    this.#port = port;
    this.#uploads = uploads;
    this.url = `http://127.0.0.1:${port}`;
    const { app } = this;
    app.remove("lunora/notes.ts");
    app.write("lunora/schema.ts", SCHEMA);
    app.write("lunora/ships.ts", SHIPS);
    app.write("lunora/entries.ts", ENTRIES);
    app.write("lunora/app.ts", APP);
    // As an app that has installed both.
    mkdirSync(app.path("node_modules/.bin"), { recursive: true });
    symlinkSync(join(repository, "npm/lunorash/bin/lunora.mjs"), app.path("node_modules/.bin/lunora"));
    symlinkSync(join(repository, "playground/chat/node_modules/wrangler"), app.path("node_modules/wrangler"));
  }

  /** An app that has never been deployed. */
  static async begin(): Promise<Rehearsal> {
    return new Rehearsal(await freePort(), await UploadApi.start());
  }

  /** How many workers have been sent. */
  get uploads(): number {
    return this.#uploads.uploads.length;
  }

  #environment(): Record<string, string> {
    return {
      ...this.#uploads.environment(this.app.folder),
      CI: "1",
      PATH: `${this.app.path("node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    };
  }

  /** Runs a line as somebody's shell does, without a terminal. */
  async shell(line: string): Promise<End> {
    const program = new Program("sh", ["-c", line], this.app.folder, this.#environment());
    return { code: await program.ended(), output: program.output };
  }

  /** The same; it has to succeed. */
  async done(line: string): Promise<string> {
    const { code, output } = await this.shell(line);
    if (code !== 0) throw new Error(`\`${line}\` ended with ${code}:\n${output}`);
    return output;
  }

  /** Runs a line at a terminal, where somebody types `answer` at the question. */
  async atTerminal(line: string, answer: string): Promise<End> {
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      cwd: this.app.folder,
      env: { ...process.env, NO_COLOR: "1", ...this.#environment() },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
    });
    let output = "";
    let isAnswered = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (isAnswered || !output.includes("Type `yes`")) return;
      isAnswered = true;
      child.stdin.write(`${answer}\n`);
    });
    const code = await ended;
    return { code, output };
  }

  /** `null` takes the declaration back. */
  declare(jurisdiction: string | null): void {
    const end = /\}\)(\.jurisdiction\("[^"]*"\))?;\n$/;
    const schema = this.app.read("lunora/schema.ts");
    if (!end.test(schema)) throw new Error("the schema does not end as expected");
    const declaration = jurisdiction === null ? "" : `.jurisdiction("${jurisdiction}")`;
    this.app.write("lunora/schema.ts", schema.replace(end, `})${declaration};\n`));
  }

  /** Runs what was built last, where the one before ran. */
  async start(...options: string[]): Promise<void> {
    const server = this.starting(...options);
    await until("it serves", async () => {
      server.assertRuns();
      return (await fetch(`${this.url}/_lunora/health/ready`)).ok;
    });
    this.#server = server;
  }

  /** A start that may fail. */
  starting(...options: string[]): Program {
    return this.app.run("lunora", ["start", "--port", String(this.#port), ...options], { LUNORA_ADMIN_TOKEN: TOKEN });
  }

  async stop(): Promise<void> {
    const code = await this.#server?.stop("SIGTERM");
    if (code !== 0) throw new Error(`the server ended with ${code}: ${this.#server?.output}`);
    this.#server = undefined;
  }

  async launch(...names: string[]): Promise<void> {
    for (const name of names) await call(this.url, "ships:launch", { name });
  }

  async write(ship: string, ...texts: string[]): Promise<void> {
    for (const text of texts) await call(this.url, "entries:write", { ship, text });
  }

  /** Names of all ships, and the texts of each one's entries. */
  async rows(...of: string[]): Promise<{ ships: string[]; entries: Record<string, string[]> }> {
    const list = async (path: string, args: object, field: string): Promise<string[]> =>
      ((await call(this.url, path, args)) as Record<string, string>[]).map((row) => row[field] as string).sort();
    const entries: Record<string, string[]> = {};
    for (const ship of of) entries[ship] = await list("entries:list", { ship }, "text");
    return { ships: await list("ships:list", {}, "name"), entries };
  }

  /** Rows and hashes that the export of a file counted. */
  tablesOf(dump: string): Tables {
    return (JSON.parse(readFileSync(this.app.path(`${dump}.receipt.json`), "utf8")) as { tables: Tables }).tables;
  }

  /** Rows and hashes that the app holds now; leaves nothing behind. */
  async held(): Promise<Tables> {
    const line = `LUNORA_ADMIN_TOKEN=${TOKEN} lunora export --url ${this.url} --out looked --force --json --root /`;
    const { tables } = JSON.parse(await this.done(line)) as { tables: Tables };
    for (const name of ["looked", "looked.receipt.json"]) this.app.remove(name);
    return tables;
  }

  async end(): Promise<void> {
    await this.app.dispose();
    await this.#uploads.stop();
  }
}
