import { FRAME_BYTES } from "@lunora/protocol";
import type { RowOperation } from "@lunora/protocol";

import type { StoredRow } from "../document.ts";
import type { RowProjection } from "./row-projection.ts";

/** What a part has around its operations: ids (any character may be escaped to six) and positions. */
const AROUND_BYTES = 16_384;

/**
 * The operations of a patch as JSON, cut into pieces that fit into a frame each. Made once, and put
 * into the parts of every subscriber. An operation that is longer than a frame is a piece of its own.
 */
export class PatchText {
  readonly #pieces: string[] = [];
  #operations: string[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.#operations.length === 0;
  }

  put(op: "insert" | "update", projection: RowProjection, row: StoredRow): void {
    this.#add(`${start(op, projection, row.id)},"value":${projection.textOf(row)}}`);
  }

  delete(projection: RowProjection, id: string): void {
    this.#add(`${start("delete", projection, id)}}`);
  }

  #add(operation: string): void {
    const bytes = utf8Length(operation) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > FRAME_BYTES - AROUND_BYTES) this.#cut();
    this.#operations.push(operation);
    this.#bytes += bytes;
  }

  #cut(): void {
    this.#pieces.push(`[${this.#operations.join(",")}]`);
    this.#operations = [];
    this.#bytes = 0;
  }

  /** The pieces, each an array of operations; one empty array when there are none. */
  finish(): readonly string[] {
    if (this.#operations.length > 0 || this.#pieces.length === 0) this.#cut();
    return this.#pieces;
  }
}

function start(op: RowOperation["op"], { table }: RowProjection, id: string): string {
  return `{"op":"${op}","key":${JSON.stringify(id)},"table":${JSON.stringify(table.name)}`;
}

/** Bytes of the text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // Each half of a pair counts for two of the four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
