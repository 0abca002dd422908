import type { ShapeSubscribeFrame, StreamFrame, SubscribeFrame } from "@lunora/protocol";

import type { LiveAnswer } from "../live/live-answer.ts";
import type { LiveHost } from "../live/live-host.ts";
import type { ResetCause } from "../live/resume.ts";
import { patchFacts, rowsOf } from "./patch-facts.ts";
import type { SubscriptionNews } from "./shard-watch.ts";

const CAUSES: Readonly<Record<Exclude<ResetCause, "new">, string>> = {
  garbage: "CHECKPOINT_INVALID",
  epoch: "EPOCH_CHANGED",
  ahead: "CHECKPOINT_AHEAD",
  version: "VERSION_CHANGED",
  trimmed: "CDC_LOG_TRIMMED",
};

function stateOf(cause: ResetCause | undefined): Pick<SubscriptionNews, "state"> & { cause?: string } {
  if (cause === undefined) return { state: "resumed" };
  return cause === "new" ? { state: "began" } : { state: "reseeded", cause: CAUSES[cause] };
}

/** What a frame asks for. */
export function newsOf(frame: SubscribeFrame | ShapeSubscribeFrame | StreamFrame): Omit<SubscriptionNews, "state"> {
  const { id } = frame;
  if (frame.type === "shape_subscribe") return { id, kind: "shape", name: frame.shape.name, args: frame.shape.args };
  const { functionPath, args } = frame.query;
  return { id, kind: frame.type === "stream" ? "stream" : "query", name: functionPath, args };
}

/** How a subscription to a shape begins; `cause` is why its view is not continued. */
export function shapeNews(
  { id, shape: { name, args } }: ShapeSubscribeFrame,
  cause: ResetCause | undefined,
  pieces: readonly string[],
): SubscriptionNews {
  const rows = patchFacts(pieces)?.rowsIn;
  return { id, kind: "shape", name, args, ...stateOf(cause), ...(rows === undefined ? {} : { rows }) };
}

/** Why a client that has a result is sent another one. */
function causeOf({ sinceSeq = 0, sinceEpoch, sinceVersion }: SubscribeFrame["query"], version: string, host: LiveHost) {
  if (sinceEpoch !== host.epoch()) return "EPOCH_CHANGED";
  if (sinceSeq > host.head()) return "CHECKPOINT_AHEAD";
  if (sinceSeq < host.floor() - 1) return "CDC_LOG_TRIMMED";
  return sinceVersion === version ? "RESULT_CHANGED" : "VERSION_CHANGED";
}

/** How a subscription to a query begins; `holds`: the client's result is still the result. */
export function queryNews(
  id: string,
  query: SubscribeFrame["query"],
  answer: LiveAnswer,
  holds: boolean,
  host: LiveHost,
): SubscriptionNews {
  const { functionPath: name, args } = query;
  const common = { id, kind: "query", name, args } as const;
  if (holds) return { ...common, state: "resumed", rows: 0 };
  const rows = rowsOf(answer);
  const size = rows === undefined ? {} : { rows };
  if (query.sinceSeq === undefined) {
    const { code } = (answer.isError ? answer.content : {}) as { code?: string };
    return { ...common, state: "began", ...(code === undefined ? {} : { cause: code }), ...size };
  }
  return { ...common, state: "reseeded", cause: causeOf(query, answer.version, host), ...size };
}
