// A Node child that answers questions over IPC, so that a compiler can stay warm outside our heap.
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { ProcessGroup, quietEnvironment } from "./process-group.mjs";

export class Questioned {
  #group;

  /**
   * @param {string} script
   * @param {{cwd?: string, env?: Record<string, string>}} [options]
   */
  constructor(script, { cwd, env } = {}) {
    this.#group = new ProcessGroup(process.execPath, [script], { cwd, env: env ?? quietEnvironment(), ipc: true });
  }

  /**
   * One question at a time.
   *
   * @param {object} question
   * @param {number} [limit] milliseconds
   * @returns {Promise<any>} what the child answered; it throws what the child threw
   */
  async ask(question, limit = 120_000) {
    const { child } = this.#group;
    const over = new AbortController();
    let onMessage;
    try {
      const answered = new Promise((resolve) => {
        onMessage = resolve;
        child.once("message", resolve);
      });
      child.send(question, (error) => {
        if (error) onMessage({ error: error.message });
      });
      const answer = await Promise.race([
        answered,
        this.#group.exited.then(({ code, signal }) => {
          throw this.#group.failure(`Ended with ${code ?? signal}`);
        }),
        delay(limit, undefined, { signal: over.signal }),
      ]);
      if (answer === undefined) throw this.#group.failure(`No answer within ${limit} ms`);
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    } finally {
      over.abort();
      child.off("message", onMessage);
    }
  }

  async close() {
    await this.#group.stop();
  }
}

/**
 * The child's side: answers until the parent goes away.
 *
 * @param {(question: any) => Promise<object>} answer
 */
export function answerQuestions(answer) {
  process.on("message", (question) => {
    answer(question).then(
      (value) => process.send?.(value),
      (error) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.once("disconnect", () => process.exit(0));
}
