// One call at a time over a kept-alive connection, and waiting until a call is answered as expected.
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { probePath } from "./app/function-file.mjs";

export const loopback = "127.0.0.1";

export class ProbeClient {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #port;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  /**
   * @param {number} limit milliseconds
   * @returns {Promise<{status: number, body: string}>}
   */
  call(limit) {
    const body = JSON.stringify({ functionPath: probePath, args: {} });
    return new Promise((resolve, reject) => {
      const call = request(
        {
          agent: this.#agent,
          host: loopback,
          port: this.#port,
          method: "POST",
          path: "/_lunora/rpc",
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk) => {
            text += chunk;
          });
          response.once("error", reject);
          response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        },
      );
      call.setTimeout(limit, () => call.destroy(new Error(`No answer within ${limit} ms`)));
      call.once("error", reject);
      call.end(body);
    });
  }

  /**
   * Calls again and again until the answer carries `revision`.
   *
   * @param {number} revision
   * @param {{every: number, limit: number, givenUp?: () => Error | undefined}} options `every` and `limit` in milliseconds
   * @returns {Promise<number>} `performance.now()` at the moment of that answer
   */
  async until(revision, { every, limit, givenUp }) {
    const deadline = performance.now() + limit;
    let last = "nothing";
    for (;;) {
      const started = performance.now();
      try {
        const { status, body } = await this.call(Math.max(1, Math.min(15_000, deadline - started)));
        if (status === 200 && JSON.parse(body).result?.revision === revision) return performance.now();
        last = `${status} ${body.slice(0, 300)}`;
      } catch (error) {
        last = error instanceof Error ? error.message || String(error.code) : String(error);
      }
      const reason = givenUp?.();
      if (reason !== undefined) throw reason;
      const now = performance.now();
      if (now > deadline)
        throw new Error(`Revision ${revision} was not served within ${limit} ms; the last answer was \`${last}\`.`);
      const rest = every - (now - started);
      if (rest > 0) await delay(rest);
    }
  }

  close() {
    this.#agent.destroy();
  }
}
