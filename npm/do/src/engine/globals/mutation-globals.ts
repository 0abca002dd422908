import { encodeFailure } from "@lunora/protocol";
import { LunoraError } from "@lunora/errors";

import { notUnique } from "../commit.ts";
import type { Change, Commit } from "../commit.ts";
import { decodeRow } from "../document.ts";
import type { StoredRow } from "../document.ts";
import { assertKeepable } from "../idempotency.ts";
import type { MutationOutcome } from "../mutation-call.ts";
import { clauses, combine, raw, render, slot, sql } from "../statement.ts";
import type { Table } from "../table.ts";
import type { FarRow, Statement } from "./d1-binding.ts";
import { failureKind } from "./d1-failure.ts";
import { batchOf, outcomeOf } from "./global-batch.ts";
import { GlobalReader, toFarRow } from "./global-reader.ts";
import type { GlobalMutation } from "./global-session.ts";
import type { GlobalStore } from "./global-store.ts";
import { overlaid } from "./overlay.ts";
import { SeenRows } from "./seen-rows.ts";
import { WrittenRows } from "./written-rows.ts";

/** How often a mutation runs at most when others are faster each time. */
const ATTEMPTS = 5;

/** Attempts begin no later than this after the first, milliseconds: others wait behind. */
const ATTEMPTS_TIME = 10_000;

/** One mutation, as its global tables see it. */
export interface MutationFacts {
  readonly functionPath: string;
  /** What it is known again by; `undefined`: it is never repeated. */
  readonly key: string | undefined;
  readonly commit: Commit;
  /** Nothing that is not committed is before it. */
  readonly isFirst: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
  clock(): number;
  /** A key that nobody else has. */
  newKey(): string;
  /** Whether old changes are to be forgotten along with this one. */
  prunes(): boolean;
  /** It writes to global tables. */
  onWriter(): void;
  /** It is committed. */
  onWritten(tables: ReadonlySet<string>): void;
}

/**
 * The global tables of one mutation. D1 has no transaction that stays open while a handler runs, so reads are of what is
 * committed, with what the handler has written laid over them, and everything is written when the handler has ended, in one batch.
 */
export class MutationGlobals extends GlobalReader implements GlobalMutation {
  readonly #facts: MutationFacts;
  readonly #seen = new SeenRows();
  readonly #written: WrittenRows;
  /** Settles when it is known whether the mutation came before. */
  #known: Promise<void> | undefined;
  #reliesOnUnique = false;
  #attempts = 0;
  isPostponed = false;
  told: MutationOutcome | undefined;

  constructor(store: GlobalStore, facts: MutationFacts) {
    super(store);
    this.#facts = facts;
    this.#written = new WrittenRows(facts.commit);
    facts.commit.admit = (change) => this.#admit(change);
  }

  /** Before each change, and before each job: what is written together is committed together. */
  #admit(change: Change | undefined): void {
    const { commit, isFirst, onWriter } = this.#facts;
    const [first] = commit.changes;
    const writesGlobals = change?.table.isGlobal === true;
    const isMixed = writesGlobals
      ? first?.table.isGlobal === false || commit.jobs.length > 0
      : first?.table.isGlobal === true;
    if (isMixed) {
      const other = change === undefined ? "a job" : `\`${change.table.name}\``;
      throw new LunoraError(
        "GLOBAL_WRITE_MIXED",
        `the mutation writes ${other}${first === undefined ? " and a job" : ` and \`${first.table.name}\``}: one is in a shard and the other in D1, and one could be written without the other`,
        { data: { tables: [first?.table.name, change?.table.name].filter((name) => name !== undefined) } },
      );
    }
    if (!writesGlobals || first !== undefined) return;
    onWriter();
    if (isFirst) return;
    // Others of the group may still be lost, on which this one may depend.
    this.isPostponed = true;
    commit.revoke();
    this.#assertOngoing();
  }

  #assertOngoing(): void {
    if (!this.isPostponed && this.told === undefined) return;
    throw new LunoraError("CTX_CLOSED", "the mutation has ended here: it happened before, or runs again");
  }

  /** The first question is whether the mutation came before, and its answer comes before any other. */
  protected override async ask(statement: Statement): Promise<readonly FarRow[]> {
    this.#assertOngoing();
    const { key } = this.#facts;
    if (key === undefined || this.#known !== undefined) {
      await this.#known;
      this.#assertOngoing();
      return super.ask(statement);
    }
    const answers = this.store.run([outcomeOf(key), statement]);
    this.#known = answers.then(([rows = []]) => this.#take(rows));
    this.#known.catch(() => (this.#known = undefined));
    await this.#known;
    this.#assertOngoing();
    return (await answers)[1] ?? [];
  }

  /** Takes what is known of the mutation from before. */
  #take([row]: readonly FarRow[]): void {
    if (row === undefined) return;
    const { functionPath, commit } = this.#facts;
    const text = row["result"] as string;
    const [path, result] = JSON.parse(text) as [string, unknown?];
    commit.revoke();
    if (path === functionPath) {
      this.told = result === undefined ? { ok: true } : { ok: true, result, length: text.length };
      return;
    }
    const { status, body } = encodeFailure(
      new LunoraError("CONFLICT", `the mutation id was used for \`${path}\` before; every call needs an id of its own`),
    );
    this.told = { ok: false, status, error: body.error };
  }

  protected override async fetch(table: Table, statement: Statement): Promise<readonly FarRow[]> {
    if (statement.text === table.rowById) {
      const row = await this.row(table, statement.bindings[0] as string);
      return row === undefined ? [] : [{ id: row.id, _creationTime: row.creationTime, doc: row.doc, keys: row.keys }];
    }
    const written = this.#written.of(table);
    const rows = await (written === undefined
      ? super.fetch(table, statement)
      : this.ask(overlaid(table, statement, written)));
    for (const row of rows) {
      if (typeof row["doc"] === "string" && written?.has(row["id"] as string) !== true)
        this.#seen.note(table, toFarRow(row));
    }
    return rows;
  }

  override async row(table: Table, id: string): Promise<StoredRow | undefined> {
    this.#assertOngoing();
    const written = this.#written.of(table)?.get(id);
    if (written !== undefined) return written.after;
    if (this.#seen.has(table, id)) return this.#seen.guard(table, id, undefined);
    const [row] = await this.ask({ text: table.rowById, bindings: [id] });
    const present = this.#seen.guard(table, id, row === undefined ? undefined : toFarRow(row));
    const since = this.#written.of(table)?.get(id);
    return since === undefined ? present : since.after;
  }

  override relyOnUnique(): void {
    this.#reliesOnUnique = true;
  }

  override async assertUnique(table: Table, row: StoredRow): Promise<void> {
    this.relyOnUnique();
    const document = decodeRow(table, row);
    const same = [...table.indexes.values()].flatMap((index) => {
      if (!index.unique) return [];
      const keys = index.fields.map((source) => source.keyOf(document[source.field]));
      // Absent values are no one's.
      if (keys.includes(null)) return [];
      return [
        {
          index,
          condition: combine(
            index.fields.map(({ expression }, place) => sql`${expression} = ${slot(keys[place] ?? null)}`),
            "AND",
          ),
        },
      ];
    });
    const conditions = [{ index: undefined, condition: sql`id = ${slot(row.id)}` }, ...same];
    for (const { index, condition } of conditions) {
      const statement = render(
        clauses(raw(`SELECT 1 FROM ${table.quoted}`, 0), sql`WHERE ${condition}`, raw("LIMIT 1", 0)),
      );
      if ((await this.fetch(table, statement)).length > 0) throw notUnique(table, index);
    }
  }

  get needsConclusion(): boolean {
    return this.isPostponed || this.told !== undefined || this.#facts.commit.changes[0]?.table.isGlobal === true;
  }

  async conclude(result: unknown): Promise<boolean> {
    this.#assertOngoing();
    const { functionPath, commit, key, now, newKey, prunes, onWritten } = this.#facts;
    // What is never repeated needs a key all the same: by it a batch that was sent twice is applied once.
    const isKept = key !== undefined && result !== undefined;
    const text = JSON.stringify(isKept ? [functionPath, result] : [functionPath]);
    assertKeepable(functionPath, text);
    const { tables } = this.#written;
    const facts = { key: key ?? JSON.stringify(["call", newKey()]), result: text, now, guards: this.#seen.guards };
    try {
      await this.store.run(batchOf({ ...facts, written: tables }, prunes()));
    } catch (error) {
      if (key !== undefined || failureKind(error) !== "repeated") return this.#judge(error, facts.key);
    }
    const names = new Set([...tables.keys()].map(({ name }) => name));
    commit.handOver();
    onWritten(names);
    return true;
  }

  /** The batch was refused, and nothing of it took effect. Whether the handler is to run again: `false`. */
  async #judge(error: unknown, key: string): Promise<boolean> {
    switch (failureKind(error)) {
      case "repeated":
        this.#take((await this.store.run([outcomeOf(key)]))[0] ?? []);
        this.#assertOngoing();
        throw error;
      case "lost race":
        return this.#again(error);
      case "not unique":
        return this.#reliesOnUnique ? this.#again(error) : this.#refuse(error);
      default:
        throw error;
    }
  }

  /** D1 names the index, `index 'users__by_email'`, or the column, `users.id`. */
  #refuse(error: unknown): never {
    const text = String(error);
    for (const table of this.#written.tables.keys()) {
      const index = [...table.indexes.values()].find(({ sqlName }) =>
        text.includes(`index '${sqlName.replaceAll("'", "''")}'`),
      );
      if (index !== undefined || text.includes(`${table.name}.id:`)) throw notUnique(table, index);
    }
    throw error;
  }

  #again(error: unknown): false {
    const { commit, clock, now, functionPath } = this.#facts;
    this.#attempts += 1;
    if (this.#attempts >= ATTEMPTS || clock() - now > ATTEMPTS_TIME) {
      throw new LunoraError(
        "GLOBAL_CONFLICT",
        `\`${functionPath}\` ran ${this.#attempts} times, and each time somebody else had changed a row that it read or wrote; nothing of it was written`,
        { cause: error },
      );
    }
    commit.undo(0);
    this.#seen.clear();
    this.#reliesOnUnique = false;
    return false;
  }
}
