import { LunoraError } from "@lunora/errors";
import type { Environment } from "@lunora/server";

import { within } from "../live/within.ts";
import type { D1Binding, D1Connection, FarRow, Statement } from "./d1-binding.ts";
import { failureKind } from "./d1-failure.ts";

/** The name under which the database is bound. */
const BINDING = "DB";

/** How long an answer may take, milliseconds. A mutation has ten seconds in all. */
const ANSWER_TIME = 4_000;

/** How often a request is made that gets no answer. */
const TRIES = 2;

/** Requests to the D1 database of `.global()` tables. All go to the primary: replicas are not used. */
export class D1 {
  readonly #env: Environment;
  readonly #answerTime: number;

  constructor(env: Environment, answerTime: number = ANSWER_TIME) {
    this.#env = env;
    this.#answerTime = answerTime;
  }

  #connect(): D1Connection {
    const binding = this.#env[BINDING] as Partial<D1Binding> | undefined;
    if (typeof binding?.withSession !== "function") {
      throw new LunoraError(
        "GLOBAL_UNAVAILABLE",
        `rows of \`.global()\` tables are in D1, and the Worker has no D1 database bound as \`${BINDING}\`: add it to \`d1_databases\` of wrangler.jsonc`,
      );
    }
    return binding.withSession("first-primary");
  }

  /** Runs the statements in one transaction, once. Rejects with D1's own errors. */
  async #send(statements: readonly Statement[]): Promise<readonly (readonly FarRow[])[]> {
    const connection = this.#connect();
    const prepared = statements.map(({ text, bindings }) => connection.prepare(text).bind(...bindings));
    const answers = await within(
      connection.batch(prepared),
      this.#answerTime,
      () => new Error(`D1 did not answer within ${this.#answerTime} ms`),
    );
    return answers.map(({ results }) => results);
  }

  /**
   * Runs the statements in one transaction; rejects with D1's own refusals, and with `GLOBAL_UNAVAILABLE` when there is
   * no answer. Then they may have taken effect all the same, and may do so later: they are sent again before, so they
   * have to be such that a second time does no harm.
   */
  async run(statements: readonly Statement[]): Promise<readonly (readonly FarRow[])[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#send(statements);
      } catch (error) {
        if (error instanceof LunoraError || failureKind(error) !== "unanswered") throw error;
        console.warn("[lunora] D1 did not answer", error);
        if (tries < TRIES) continue;
        throw new LunoraError(
          "GLOBAL_UNAVAILABLE",
          "the D1 database of the app's `.global()` tables does not answer; repeat the call",
          { cause: error },
        );
      }
    }
  }
}
