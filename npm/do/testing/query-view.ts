import { applyPageOperations, decodeValue, pageOf, withPage } from "@lunora/protocol";

import type { Loose } from "./loose.ts";
import type { SocketClient } from "./socket-client.ts";

/** What a client has of a subscription, by the frames it was sent. */
export interface QueryView {
  readonly data: Loose;
  /** The same, wire-encoded. */
  readonly wire: Loose;
  readonly error?: Loose;
  readonly cursor: number;
  readonly epoch: string;
  readonly version: string;
}

/** Follows the frames of one subscription to their end. Throws where they break the protocol. */
export function viewOf(client: SocketClient, id: string, before?: QueryView): QueryView | undefined {
  let view: Loose = before === undefined ? undefined : { ...before, data: before.wire };
  let run: Loose[] = [];
  for (const frame of client.frames) {
    if (frame.id !== id) continue;
    if (run.length > 0 && frame.type !== "delta") throw new Error("a run of deltas without an end");
    if (frame.type === "error") view = { ...view, error: frame.error };
    if (frame.type === "resume") view = { ...view, cursor: frame.cursor, epoch: frame.epoch };
    if (frame.type === "data") {
      const { data, cursor, epoch, version } = frame;
      view = { data, cursor, epoch, version };
    }
    if (frame.type !== "delta") continue;
    const { delta, cursor, epoch, version } = frame;
    run.push(delta);
    if (cursor === undefined) continue;
    const rows = applyPageOperations(pageOf(view.data) ?? [], run);
    if (rows === undefined) throw new Error("a run of deltas that does not fit");
    view = { data: withPage(view.data, rows), cursor, epoch, version };
    run = [];
  }
  if (run.length > 0) throw new Error("a run of deltas without an end");
  return view === undefined ? undefined : { ...view, wire: view.data, data: decodeValue(view.data) };
}

let barriers = 0;

/** Everything that was decided before has arrived. */
export async function settled(client: SocketClient): Promise<void> {
  const id = `barrier ${(barriers += 1)}`;
  client.send({ type: "subscribe", id, query: { functionPath: "queries:nothing", args: {} } });
  await client.next((frame) => frame.id === id);
  client.send({ type: "unsubscribe", id });
}

/** Subscribes and resolves to the first frame that answers. */
export async function subscribe(
  client: SocketClient,
  id: string,
  functionPath: string,
  args: object = {},
  since: object = {},
): Promise<Loose> {
  const from = client.frames.length;
  client.send({ type: "subscribe", id, query: { functionPath, args, ...since } });
  return client.next((frame) => frame.id === id, from);
}
