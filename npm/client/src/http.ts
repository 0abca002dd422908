import { CodedError } from "@lunora/errors";

import type { ClientEnvironment } from "./environment.ts";
import { isTransient, retryDelay } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Session } from "./session.ts";
import type { PostAnswer } from "./transport.ts";

/** What sending over HTTP needs of its client. */
export interface HttpHost {
  readonly environment: ClientEnvironment;
  /** Origin of the Worker, without a slash at its end. */
  readonly url: string;
  readonly session: Session;
}

/** What a client sends over HTTP, under the token of the moment. */
export interface Http {
  readonly retry: RetryPolicy;
  /** One `POST` with a JSON body. A failure below HTTP is `NETWORK_FAILED`, an abort keeps its own reason. */
  post(path: string, body: unknown, signal?: AbortSignal, headers?: Record<string, string>): Promise<PostAnswer>;
  /** Tries again while the server is away, within the policy. */
  repeat<Value>(attempt: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value>;
  /** Resolves after the pause, or rejects with the signal's reason. */
  pause(failures: number, signal: AbortSignal | undefined): Promise<void>;
}

export function createHttp({ environment, session, url: origin }: HttpHost, retry: RetryPolicy): Http {
  const pause = (failures: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const cancel = environment.setTimer(retryDelay(failures, environment.random(), retry), resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(signal.reason);
      });
    });

  return {
    retry,
    pause,
    async post(path, body, signal, headers) {
      const url = origin + path;
      const token = await session.token();
      try {
        const response = await environment.fetch(url, {
          method: "POST",
          headers: {
            ...(token !== null && { authorization: `Bearer ${token}` }),
            ...headers,
            "content-type": "application/json",
          },
          body: JSON.stringify(body),
          signal: signal ?? null,
        });
        return { status: response.status, body: parseJson(await response.text()) };
      } catch (cause) {
        signal?.throwIfAborted();
        throw new CodedError("NETWORK_FAILED", 503, `No answer from \`${url}\``, { cause });
      }
    },
    async repeat(attempt, signal) {
      for (let failures = 1; ; failures++) {
        try {
          return await attempt();
        } catch (failure) {
          if (failures >= retry.attempts || !isTransient(failure)) throw failure;
          await pause(failures, signal);
        }
      }
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's HTML page, say: the caller sees the status and that there was no envelope.
    return undefined;
  }
}
