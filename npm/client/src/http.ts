import { LunoraError } from "@lunora/errors";

import type { ClientEnvironment } from "./environment.ts";
import { isTransient, retryDelay } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import type { PostAnswer } from "./transport.ts";

/** What a client sends over HTTP, under the token of the moment. */
export class Http {
  readonly retry: RetryPolicy;
  readonly #url: string;
  readonly #environment: ClientEnvironment;
  readonly #token: () => Promise<string | null>;

  constructor(url: string, environment: ClientEnvironment, retry: RetryPolicy, token: () => Promise<string | null>) {
    this.#url = url;
    this.#environment = environment;
    this.retry = retry;
    this.#token = token;
  }

  /** One `POST` with a JSON body. A failure below HTTP is `NETWORK_FAILED`, an abort keeps its own reason. */
  async post(path: string, body: unknown, signal?: AbortSignal, headers?: Record<string, string>): Promise<PostAnswer> {
    const url = this.#url + path;
    const token = await this.#token();
    try {
      const response = await this.#environment.fetch(url, {
        method: "POST",
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...headers,
          "content-type": "application/json",
        },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      });
      return { status: response.status, body: parseJson(await response.text()) };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new LunoraError("NETWORK_FAILED", `\`${url}\` could not be reached`, { cause });
    }
  }

  /** Tries again while the server is away, within the policy. */
  async repeat<Value>(attempt: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (failure) {
        if (failures >= this.retry.attempts || !isTransient(failure)) throw failure;
        await this.pause(failures, signal);
      }
    }
  }

  pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#environment.sleep(retryDelay(failures, this.#environment.random(), this.retry), signal);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's HTML page, say: the caller sees the status and that there was no envelope.
    return undefined;
  }
}
