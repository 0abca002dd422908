import { LunoraError, shortErrorBody } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import { FRAME_BYTES } from "@lunora/protocol";

import { fingerprint } from "../fingerprint.ts";
import { diffPages } from "./page-diff.ts";

/** Room for what a frame holds besides the result. */
const FRAME_OVERHEAD = 16_384;

/** What is left of the message of an error that is too long, characters. */
const MESSAGE_LENGTH = 1_000;

const encoder = new TextEncoder();

/** What a frame says besides its content. */
export interface Stamp {
  /** The subscription's id. */
  readonly id: string;
  readonly cursor: number;
  readonly epoch: string;
  readonly lastMutationId?: number | undefined;
}

function head(type: string, id: string): string {
  return `{"type":"${type}","id":${JSON.stringify(id)}`;
}

function tail({ cursor, epoch, lastMutationId }: Stamp, version: string): string {
  const mutation = lastMutationId === undefined ? "" : `,"lastMutationId":${lastMutationId}`;
  return `,"version":"${version}","cursor":${cursor},"epoch":${JSON.stringify(epoch)}${mutation}}`;
}

function fits(text: string): boolean {
  const limit = FRAME_BYTES - FRAME_OVERHEAD;
  // A UTF-16 unit is at most three bytes of UTF-8, so short texts need no count.
  return text.length * 3 <= limit || (text.length <= limit && encoder.encode(text).byteLength <= limit);
}

/** Refuses a result that no frame can carry. Throws `RESULT_TOO_LARGE`. */
export function assertFits(text: string): void {
  if (fits(text)) return;
  throw new LunoraError("RESULT_TOO_LARGE", `the result is longer than ${FRAME_BYTES} bytes, the longest frame`, {
    hint: "Subscribe to a page (`paginate`, `take`) or to fewer columns (`select`).",
  });
}

/** What one run of a query came to, as the text that its subscribers get. */
export class LiveAnswer {
  readonly isError: boolean;
  /** JSON; `undefined` for a result that is `undefined`. */
  readonly #text: string | undefined;
  /** The wire-encoded result, or the error. */
  readonly #content: unknown;
  #version: string | undefined;
  /** The changes that lead here from other answers, as JSON of row operations. */
  readonly #runs = new WeakMap<LiveAnswer, { readonly operations: readonly string[] | undefined }>();

  private constructor(isError: boolean, content: unknown) {
    this.isError = isError;
    this.#content = content;
    this.#text = JSON.stringify(content);
  }

  /** Throws `RESULT_TOO_LARGE`. */
  static ofResult(encoded: unknown): LiveAnswer {
    const answer = new LiveAnswer(false, encoded);
    assertFits(answer.#text ?? "");
    return answer;
  }

  /** An error that no frame can carry is told by its code and the beginning of its message. */
  static ofError(error: ErrorBody): LiveAnswer {
    const answer = new LiveAnswer(true, error);
    if (fits(answer.#text ?? "")) return answer;
    return new LiveAnswer(true, shortErrorBody(error, MESSAGE_LENGTH));
  }

  /** Characters of its text. */
  get length(): number {
    return this.#text?.length ?? 0;
  }

  /** The wire-encoded result, or the error. */
  get content(): unknown {
    return this.#content;
  }

  /** One text for equal answers; different ones share it by accident only. */
  get version(): string {
    return (this.#version ??= fingerprint(this.#text ?? ""));
  }

  /** Whether whoever has the other needs nothing. */
  equals(other: LiveAnswer): boolean {
    return this === other || (this.isError === other.isError && this.#text === other.#text);
  }

  /** The whole answer: a `data` or an `error` frame. */
  frame(stamp: Stamp): string {
    if (this.isError) return `${head("error", stamp.id)},"error":${this.#text as string}}`;
    const data = this.#text === undefined ? "" : `,"data":${this.#text}`;
    return `${head("data", stamp.id)}${data}${tail(stamp, this.version)}`;
  }

  /**
   * The same as `delta` frames for whoever has the other answer; `undefined` where the whole is
   * shorter, or the changes do not lead here. The last frame alone carries the stamp.
   */
  deltaFrames(from: LiveAnswer, tableOf: (id: string) => string, stamp: Stamp): readonly string[] | undefined {
    const operations = this.#operationsFrom(from, tableOf);
    if (operations === undefined) return undefined;
    const start = `${head("delta", stamp.id)},"delta":`;
    return operations.map(
      (text, place) => start + text + (place === operations.length - 1 ? tail(stamp, this.version) : "}"),
    );
  }

  #operationsFrom(from: LiveAnswer, tableOf: (id: string) => string): readonly string[] | undefined {
    let run = this.#runs.get(from);
    if (run === undefined) {
      const found = this.isError || from.isError ? undefined : diffPages(from.#content, this.#content);
      const operations = found?.map((operation) => JSON.stringify({ ...operation, table: tableOf(operation.key) }));
      const length = operations?.reduce((sum, text) => sum + text.length, 0) ?? Infinity;
      run = { operations: length < (this.#text?.length ?? 0) ? operations : undefined };
      this.#runs.set(from, run);
    }
    return run.operations;
  }
}
