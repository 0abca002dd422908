import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Refusal } from "../api/refusal.ts";
import type { LogEntry, LogPage } from "../api/rows.ts";
import { pagesOf, rowsOf, tooMany } from "../logic/seq-pages.ts";
import type { ListSource } from "../ui/list-source.ts";
import { api } from "./api.ts";
import { refusalFrom } from "./use-resource.ts";

const PAGE = 200;
/** Pages that are kept: 8,000 entries. */
const KEPT = 40;

/** A shard's op-log, newest first; only what is looked at is read. */
export interface OpLogList extends ListSource<LogEntry | "gap"> {
  readonly range: { readonly epoch: string; readonly floor: number; readonly head: number } | undefined;
  readonly refusal: Refusal | undefined;
  /** Where a position lies in the list. */
  indexOf(seq: number): number;
}

/** What was read of a page; `newest` is its last position then. */
interface LogPart {
  readonly entries: ReadonlyMap<number, LogEntry>;
  readonly newest: number;
}

class Log {
  range: { epoch: string; floor: number; head: number } | undefined;
  refusal: Refusal | undefined;
  readonly pages: Map<number, LogPart> = new Map();
  readonly asked: Set<number> = new Set();
  /** The head that a page was last read for: a position that nobody answers for is not asked for again. */
  readonly readFor: Map<number, number> = new Map();
}

/** `head` is the newest position that the timeline knows of; the list grows with it. */
export function useOpLog(object: string, head: number): OpLogList {
  const [, changed] = useReducer((round: number) => round + 1, 0);
  const held = useRef<{ object: string; log: Log }>({ object, log: new Log() });
  if (held.current.object !== object) held.current = { object, log: new Log() };
  const { log } = held.current;

  if (log.range !== undefined && head > log.range.head) log.range = { ...log.range, head };
  const range = log.range ?? { floor: 1, head: 0 };
  const failed = (error: unknown): void => {
    log.refusal = refusalFrom(error);
    changed(undefined);
  };
  const read = (page: number): void => {
    log.asked.add(page);
    log.readFor.set(page, range.head);
    const first = page * PAGE;
    api
      .inspect<LogPage>("oplog", { object, after: Math.max(0, first - 1), limit: PAGE })
      .then((answer) => {
        const entries = answer.entries.filter((entry) => entry.seq < first + PAGE);
        log.pages.delete(page);
        log.pages.set(page, {
          entries: new Map(entries.map((entry) => [entry.seq, entry])),
          newest: Math.max(-1, ...entries.map((entry) => entry.seq)),
        });
        for (const old of tooMany([...log.pages.keys()], KEPT)) log.pages.delete(old);
        log.range = { epoch: answer.epoch, floor: answer.floor, head: Math.max(answer.head, log.range?.head ?? 0) };
      })
      .catch(failed)
      .finally(() => {
        log.asked.delete(page);
        changed(undefined);
      });
  };
  useEffect(() => {
    api
      .inspect<LogPage>("oplog", { object, limit: 1 })
      .then(({ epoch, floor, head: newest }) => {
        log.range = { epoch, floor, head: newest };
        changed(undefined);
      })
      .catch(failed);
  }, [log]);

  return {
    range: log.range,
    refusal: log.refusal,
    length: rowsOf(range),
    indexOf: (seq) => range.head - seq,
    at: (index) => {
      const seq = range.head - index;
      const page = log.pages.get(Math.floor(seq / PAGE));
      if (page === undefined) return undefined;
      // What is newer than the page was when it was read is being read again.
      return page.entries.get(seq) ?? (seq > page.newest ? undefined : "gap");
    },
    want: (first, end) => {
      if (log.refusal !== undefined) return;
      for (const page of pagesOf(first, end, range, PAGE)) {
        const known = log.pages.get(page);
        const newest = Math.min(range.head, page * PAGE + PAGE - 1);
        const isStale = known !== undefined && !known.entries.has(newest) && log.readFor.get(page) !== range.head;
        if ((known === undefined || isStale) && !log.asked.has(page)) read(page);
      }
    },
  };
}
