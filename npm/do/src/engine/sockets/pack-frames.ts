import { LunoraError, shortErrorBody, toErrorBody } from "@lunora/errors";
import { FRAME_BYTES } from "@lunora/protocol";
import type { AckFrame, ErrorFrame, PokePartFrame, PushResult, ServerFrame } from "@lunora/protocol";

const encoder = new TextEncoder();

const BATCH_HEAD = '{"type":"batch","frames":[';
const BATCH_TAIL = "]}";

/** Whether the text is longer than the limit in UTF-8; short texts are not counted. */
export function isLonger(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  // A UTF-16 unit is at most three bytes.
  return text.length * 3 > limit && encoder.encode(text).byteLength > limit;
}

/** The frame as text, in several frames where it would be too long and its type allows, else as an error. */
export function frameTexts(frame: ServerFrame, limit: number = FRAME_BYTES): string[] {
  const text = JSON.stringify(frame);
  if (!isLonger(text, limit)) return [text];
  switch (frame.type) {
    case "pokePart":
      return splitPoke(frame, limit);
    case "ack":
      return [JSON.stringify(withoutLargeResults(frame, text, limit))];
    default:
      return [JSON.stringify(tooLarge("id" in frame ? frame.id : undefined, limit))];
  }
}

function tooLarge(id: string | undefined, limit: number): ErrorFrame {
  const { body } = toErrorBody(
    new LunoraError("RESULT_TOO_LARGE", `what was to be sent is longer than a frame of ${limit} bytes`, {
      data: { limit },
    }),
  );
  return { type: "error", ...(id === undefined ? {} : { id }), error: body };
}

/** Halves the patch. What empties the view stays on the first part; what says that it is whole, on the last. */
function splitPoke(frame: PokePartFrame, limit: number): string[] {
  const { rowsPatch, lastMutationId, reset, version, ...common } = frame;
  if (rowsPatch.length < 2) return [JSON.stringify(tooLarge(frame.shapeId, limit))];
  const middle = rowsPatch.length >> 1;
  const first: PokePartFrame = {
    ...common,
    rowsPatch: rowsPatch.slice(0, middle),
    ...(reset === undefined ? {} : { reset }),
    ...(version === undefined ? {} : { version }),
  };
  const second: PokePartFrame = {
    ...common,
    rowsPatch: rowsPatch.slice(middle),
    ...(lastMutationId === undefined ? {} : { lastMutationId }),
  };
  return [...frameTexts(first, limit), ...frameTexts(second, limit)];
}

/** The mutations have happened, so the ack has to arrive: the longest results are left out until it fits. */
function withoutLargeResults(frame: AckFrame, text: string, limit: number): AckFrame {
  const results = [...(frame.results ?? [])];
  const sizes = results.map((result) => encoder.encode(JSON.stringify(result)).byteLength);
  let size = encoder.encode(text).byteLength;
  const longestFirst = results.map((_, index) => index).toSorted((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  for (const index of longestFirst) {
    if (size <= limit) break;
    const shorter = withoutValue(results[index] as PushResult);
    size -= (sizes[index] ?? 0) - encoder.encode(JSON.stringify(shorter)).byteLength;
    results[index] = shorter;
  }
  return { ...frame, results };
}

function withoutValue({ clientSeq: given, error }: PushResult): PushResult {
  // What came as a position goes back as it came, so it can be long when it was none.
  const clientSeq = typeof given === "number" ? given : 0;
  if (error === undefined) return { clientSeq };
  return { clientSeq, error: shortErrorBody(error, 1_000) };
}

/** The texts as they travel: as few messages as possible where the client takes batches. */
export function pack(texts: readonly string[], takesBatches: boolean, limit: number = FRAME_BYTES): readonly string[] {
  if (!takesBatches || texts.length < 2) return texts;
  const messages: string[] = [];
  let batch: string[] = [];
  // Counted generously; what is cut too early costs one message more.
  let size = 0;
  const flush = (): void => {
    if (batch.length === 1) messages.push(batch[0] as string);
    else if (batch.length > 1) messages.push(BATCH_HEAD + batch.join(",") + BATCH_TAIL);
    batch = [];
    size = 0;
  };
  for (const text of texts) {
    const length = text.length * 3 + 1;
    if (size + length > limit - BATCH_HEAD.length - BATCH_TAIL.length) flush();
    batch.push(text);
    size += length;
  }
  flush();
  return messages;
}
