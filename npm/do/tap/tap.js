// The tap of development: tells the inspector what happens in the app. It is the first import of a wrapper around the
// app's entry, and in no build. It may cost the app a little time, and nothing else: it never throws, nothing waits
// for it, and what it holds is bounded.
import { AsyncLocalStorage } from "node:async_hooks";
import { env, waitUntil } from "cloudflare:workers";
import { askedRegions, region } from "./settings.js";
import { noteRefusal, observeAction, observeFetch, tellRequest } from "../../runtime/src/observed-request.ts";
import { eventsOf, noteArrivals } from "../src/engine/observing/group-watch.ts";
import { ShardWatch } from "../src/engine/observing/shard-watch.ts";
import { ObjectFaults } from "./faults/object-faults.ts";
import { Outages } from "./faults/outages.ts";
import { cut, TEXT_LENGTH } from "./bounded-text.ts";
import { Courier } from "./courier.ts";
import { toldOf } from "./event-text.ts";
import { toldBriefly, toldGroup } from "./group-text.ts";

const scopes = new AsyncLocalStorage();

/** What lines belong to that are written outside of every scope, and until when, epoch milliseconds. */
let lent;
let lentUntil = 0;

let prefix;
let ids = 0;

const courier = new Courier({
  now: Date.now,
  async post(lines, signal) {
    const response = await env.LUNORA_TAP.fetch("http://tap/events", { method: "POST", body: lines, signal });
    return response.status === 200;
  },
  keep: waitUntil,
  head: (now) => JSON.stringify({ region, isolate: prefix ?? null, now }),
  lost: (now, count) => JSON.stringify({ type: "dropped", at: now, count }),
});

/** What happens often: skipped when enough was told. */
const FREQUENT = new Set(["call", "poke", "request"]);

function tell(event) {
  try {
    if (courier.isSated && FREQUENT.has(event.type)) courier.skip(1, event.at);
    else courier.tell(toldOf(event), event.at);
  } catch {
    courier.lose(1);
  }
}

/** Tells of a group in one line. */
function ran(group) {
  try {
    courier.tell(toldGroup(group), group.at);
  } catch {
    courier.lose(eventsOf(group));
  }
}

/** A group that is told after all, whose calls were not noted when they came. */
function passedOver(group) {
  noteArrivals(observer, group.calls, () => group.at);
  return toldGroup(group);
}

/**
 * Counts what is not told. Whoever looks is told of each commit all the same, without what ran and what it changed; while
 * nobody looks the newest group is kept, and told should no others follow.
 */
function skip(count, at, group) {
  try {
    if (!courier.isOpen || group === undefined || group.flush.changes.length === 0)
      return courier.skip(count, at, group && (() => passedOver(group)));
    courier.tell(toldBriefly(group), at);
    courier.lose(count - 1);
  } catch {
    courier.lose(count);
  }
}

/** Asked before the worker is ended: what waits for the next batch would be gone with it. */
const FAREWELL = "/_lunora/tap";

async function farewell() {
  const others = askedRegions.map((name) => env[name].fetch(`http://tap${FAREWELL}`, { method: "POST" }));
  await Promise.allSettled([courier.flush(), ...others]);
  return new Response(null, { status: 204 });
}

function later(milliseconds, run) {
  setTimeout(run, milliseconds);
}

const observer = {
  tell,
  ran,
  isSated: () => courier.isSated,
  skip,
  nextId() {
    prefix ??= Math.random().toString(36).slice(2, 8).padEnd(6, "0");
    ids += 1;
    return prefix + ids;
  },
  within: (scope, run) => scopes.run(scope, run),
  current: () => scopes.getStore(),
  lend(scope, until) {
    lent = scope;
    lentUntil = until;
  },
  shard: (object, now) => new ShardWatch(observer, object, now, new ObjectFaults({ object, now, later, tell })),
  requested: tellRequest,
  action: observeAction,
  fetched: (listening, path, now, answer) =>
    path === FAREWELL ? farewell() : observeFetch(listening, path, now, answer),
  refused: noteRefusal,
  faults: new Outages(tell, () => Date.now()),
};

globalThis[Symbol.for("lunora.observer")] = observer;

function textOf(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ?? String(value);
  try {
    return (typeof value === "object" ? JSON.stringify(value) : undefined) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

for (const level of ["debug", "log", "info", "warn", "error"]) {
  const write = console[level];
  console[level] = (...values) => {
    write.apply(console, values);
    try {
      let text = values.map(textOf).join(" ");
      if (text.length > TEXT_LENGTH) text = cut(text, TEXT_LENGTH);
      const stack = values.find((value) => value instanceof Error)?.stack;
      const at = Date.now();
      const scope = scopes.getStore() ?? (at < lentUntil ? lent : undefined);
      observer.tell({
        type: "log",
        at,
        level,
        text,
        ...scope,
        ...(stack === undefined ? {} : { stack: cut(stack, TEXT_LENGTH) }),
      });
    } catch {
      // The line itself has been written.
    }
  };
}
