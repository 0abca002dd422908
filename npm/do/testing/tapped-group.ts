import type { Change } from "../src/engine/commit.ts";
import { clientKey } from "../src/engine/live/flush.ts";
import type { RanGroup } from "../src/engine/observing/group-watch.ts";
import type { Table } from "../src/engine/table.ts";

const notes = { name: "notes" } as Table;

const row = (id: string, doc: string): Change["after"] => ({ id, creationTime: 0, doc, keys: null });

/** A row that came. */
export function isolatedChange(n: number, text: string): Change {
  return { table: notes, id: `id${n}`, before: undefined, after: row(`id${n}`, JSON.stringify({ text })) };
}

/** A group in which everything happens that one can tell of. */
export function tappedGroup(): RanGroup {
  const ann = { userId: "ann", clientId: 'tab "1"' };
  const identity = { userId: "ann" };
  return {
    at: 1_700_000_000_000,
    object: "rooms:one",
    calls: [
      {
        functionPath: "notes:add",
        args: { text: 'a "quoted" \\ line\n' },
        identity,
        place: { client: ann, clientSeq: 4 },
        observed: { call: "c1", since: 1_699_999_999_995 },
      },
      { functionPath: "notes:look", args: {}, identity: null, observed: { call: "c2", since: 1_700_000_000_000 } },
      {
        functionPath: "notes:move",
        args: { id: "id2" },
        identity,
        mutationId: "m3",
        jobId: "j3",
        client: ann,
        observed: { call: "c3", since: 1_699_999_999_999, parent: "c0" },
      },
      {
        functionPath: "notes:refused",
        args: {},
        identity: null,
        observed: { call: "c4", since: 1_700_000_000_000 },
      },
      { functionPath: "notes:waits", args: {}, identity: null, observed: { call: "c5", since: 1_700_000_000_000 } },
    ],
    codes: [undefined, undefined, undefined, "CONFLICT"],
    ends: [1, 1, 3, 3],
    flush: {
      epoch: "e1",
      fromSeq: 10,
      toSeq: 13,
      changes: [
        isolatedChange(1, "one"),
        { table: notes, id: "id2", before: row("id2", '{"n":1}'), after: row("id2", '{"n":2}') },
        { table: notes, id: "id3", before: row("id3", '{"n":3}'), after: undefined },
      ],
      clients: new Map([
        [clientKey(ann.userId, ann.clientId), 4],
        [clientKey(null, "c:2"), 9],
      ]),
    },
  };
}
