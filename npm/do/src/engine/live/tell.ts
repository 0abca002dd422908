import { CAPABILITIES } from "@lunora/protocol";

import type { Change } from "../commit.ts";
import type { Footprint } from "../footprint.ts";
import type { ShardWatch } from "../observing/shard-watch.ts";
import { SharedFrames } from "../sockets/shared-frames.ts";
import { clientPosition } from "./flush.ts";
import type { Flush } from "./flush.ts";
import type { LiveAnswer, Stamp } from "./live-answer.ts";
import type { QueryVariant, Subscriber } from "./query-variant.ts";

/** What comes with an answer. */
export interface Telling extends Pick<Flush, "epoch" | "clients" | "changes"> {
  readonly cursor: number;
}

/** Finds the table of a row in a result: its own where it changed, else the one that the query read first. */
function tableFinder(changes: readonly Change[], footprint: Footprint | undefined): (id: string) => string {
  let tables: Map<string, string> | undefined;
  return (id) => {
    tables ??= new Map(changes.map((change) => [change.id, change.table.name]));
    const [first = ""] = footprint?.tables ?? [];
    return tables.get(id) ?? first;
  };
}

/** Frames are written once for all who need the same: most clients number their subscriptions alike. */
class FrameCache {
  readonly #frames = new Map<LiveAnswer | undefined, Map<string, SharedFrames>>();

  get(base: LiveAnswer | undefined, id: string, write: () => readonly string[]): SharedFrames {
    let ofBase = this.#frames.get(base);
    if (ofBase === undefined) this.#frames.set(base, (ofBase = new Map()));
    let frames = ofBase.get(id);
    if (frames === undefined) ofBase.set(id, (frames = new SharedFrames(write())));
    return frames;
  }
}

/** Sends a variant's answer to those of its subscribers that have another one. */
export function tell(
  { answer, footprint, group: { functionPath } }: QueryVariant,
  { cursor, epoch, clients, changes }: Telling,
  subscribers: Iterable<Subscriber>,
  watch?: ShardWatch,
): void {
  if (answer === undefined) return;
  const tableOf = tableFinder(changes, footprint);
  const written = new FrameCache();
  for (const subscriber of subscribers) {
    const { connection, id, sent } = subscriber;
    subscriber.sent = answer;
    if (sent?.equals(answer) === true) continue;
    watch?.queryPoked(connection, id, functionPath, answer, sent);
    const pushed = clientPosition(connection, clients);
    const base = connection.capabilities.has(CAPABILITIES.pageDelta) ? sent : undefined;
    const write = (lastMutationId?: number): readonly string[] => {
      const stamp: Stamp = { id, cursor, epoch, lastMutationId };
      return (base && answer.deltaFrames(base, tableOf, stamp)) ?? [answer.frame(stamp)];
    };
    if (pushed === undefined) {
      connection.sendShared(written.get(base, id, write));
      continue;
    }
    const frames = write(pushed);
    frames.forEach((text, place) => {
      const isLast = place === frames.length - 1;
      connection.sendText(text, isLast && !answer.isError ? pushed : undefined);
    });
  }
}
