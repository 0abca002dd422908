// The tap of development: tells the inspector what happens in the app. It is the first import of a wrapper around the
// app's entry, and in no build. It may cost the app a little time, and nothing else: it never throws, nothing waits
// for it, and what it holds is bounded.
import { AsyncLocalStorage } from "node:async_hooks";
import { env, waitUntil } from "cloudflare:workers";
import { region } from "./settings.js";
import { observeAction, observeFetch, tellRequest } from "../../runtime/src/observed-request.ts";
import { ShardWatch } from "../src/engine/observing/shard-watch.ts";

/** How long after the first event a batch leaves while somebody looks, and while nobody does, milliseconds. */
const OPEN_PAUSE = 20;
const CLOSED_PAUSE = 1_000;

/** Events that are kept while somebody looks, and while nobody does, and characters of them. */
const OPEN_EVENTS = 2_000;
const CLOSED_EVENTS = 200;
const HELD_LENGTH = 2_000_000;

/** How long an answer may take, milliseconds. */
const ANSWER_LIMIT = 5_000;

/** Whoever is late by so much was begun by a request or an object that is gone, milliseconds. */
const LATE = 500;

const ARGS_LENGTH = 4_096;
const IMAGE_LENGTH = 8_192;
const TEXT_LENGTH = 8_192;

/** What an event weighs besides its texts. */
const EVENT_WEIGHT = 300;

const scopes = new AsyncLocalStorage();

let isOpen = false;
/** Held events, each with what it weighs, the oldest first; those before `first` are gone. */
let events = [];
let weights = [];
let first = 0;
let held = 0;
let dropped = 0;
/** When whoever sends is taken for gone, epoch milliseconds; `undefined`: nobody sends. */
let lostAt;
/** What is on its way. */
let underway;
let sentAt = 0;
let turn = 0;
let prefix;
let ids = 0;

/** The beginning of a text, without holding on to the rest of it. */
function cut(text, length) {
  return JSON.parse(JSON.stringify(text.slice(0, length)));
}

/** About how long the JSON of a value is; beyond `limit` it is not looked at further. */
function lengthOf(value, limit) {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 6;
  let length = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      length += 1 + lengthOf(item, limit - length);
      if (length > limit) break;
    }
    return length;
  }
  for (const key in value) {
    length += key.length + 4 + lengthOf(value[key], limit - length);
    if (length > limit) break;
  }
  return length;
}

function isShort({ before, after }) {
  return (before?.length ?? 0) <= IMAGE_LENGTH && (after?.length ?? 0) <= IMAGE_LENGTH;
}

function shortened(change) {
  const { before, after } = change;
  return {
    ...change,
    ...(before === undefined ? {} : { before: cut(before, IMAGE_LENGTH) }),
    ...(after === undefined ? {} : { after: cut(after, IMAGE_LENGTH) }),
    isCut: true,
  };
}

/** Cuts what is too long in an event, which is the tap's own; answers what it weighs. */
function bound(event) {
  switch (event.type) {
    case "call":
    case "subscription": {
      if (event.args === undefined) return EVENT_WEIGHT;
      const length = lengthOf(event.args, ARGS_LENGTH);
      if (length <= ARGS_LENGTH) return EVENT_WEIGHT + length;
      event.cutArgs = cut(JSON.stringify(event.args), ARGS_LENGTH);
      event.args = undefined;
      event.isCut = true;
      return EVENT_WEIGHT + ARGS_LENGTH;
    }
    case "commit": {
      if (!event.changes.every(isShort))
        event.changes = event.changes.map((change) => (isShort(change) ? change : shortened(change)));
      let weight = EVENT_WEIGHT + event.calls.length * 100;
      for (const { before, after } of event.changes) weight += 100 + (before?.length ?? 0) + (after?.length ?? 0);
      return weight;
    }
    case "poke":
      return EVENT_WEIGHT + event.subscriptions.length * 100 + event.calls.length * 16;
    case "log":
      return EVENT_WEIGHT + event.text.length + (event.stack?.length ?? 0);
    default:
      return EVENT_WEIGHT;
  }
}

function keep(event) {
  const weight = bound(event);
  events.push(event);
  weights.push(weight);
  held += weight;
  trim();
}

function trim() {
  const limit = isOpen ? OPEN_EVENTS : CLOSED_EVENTS;
  while (events.length - first > limit || (held > HELD_LENGTH && first < events.length)) {
    held -= weights[first];
    events[first] = undefined;
    first += 1;
    dropped += 1;
  }
  // What is gone is cut off now and then, so that letting go costs the same however much there is.
  if (first > 512) {
    events = events.slice(first);
    weights = weights.slice(first);
    first = 0;
  }
}

/** Takes everything that is held. */
function take() {
  const batch = { events: events.slice(first), weights: weights.slice(first), held, dropped };
  events = [];
  weights = [];
  first = held = dropped = 0;
  return batch;
}

/** What did not arrive is held again, before what has come since. */
function putBack(batch) {
  events = [...batch.events, ...events.slice(first)];
  weights = [...batch.weights, ...weights.slice(first)];
  first = 0;
  held += batch.held;
  dropped += batch.dropped;
  trim();
}

function linesOf({ events: batch, dropped: lost }, now) {
  let lines = `${JSON.stringify({ region, isolate: prefix ?? null, now })}\n`;
  if (lost > 0) lines += `{"type":"dropped","at":${now},"count":${lost}}\n`;
  for (const event of batch) lines += `${lineOf(event, now)}\n`;
  return lines;
}

/** Arguments travel as the text of their JSON. A batch that did not arrive is written a second time. */
function lineOf(event, now) {
  // Before the first request the clock stands at nought.
  if (event.at === 0) event.at = now;
  const { args, cutArgs } = event;
  if (args === undefined && cutArgs === undefined) return JSON.stringify(event);
  event.args = cutArgs ?? JSON.stringify(args);
  event.cutArgs = undefined;
  const line = JSON.stringify(event);
  if (cutArgs === undefined) event.args = args;
  else {
    event.args = undefined;
    event.cutArgs = cutArgs;
  }
  return line;
}

/** Sends what is held, after a pause in which more may come. Runs in the request or object that it was begun in. */
async function send(mine, pause) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (mine !== turn) return;
  sentAt = Date.now();
  lostAt = sentAt + ANSWER_LIMIT + LATE;
  const batch = take();
  underway = batch;
  const given = new AbortController();
  // Not `AbortSignal.timeout`: its timer cannot be taken back, and would keep the object from falling asleep.
  const timer = setTimeout(() => given.abort(), ANSWER_LIMIT);
  try {
    const response = await env.LUNORA_TAP.fetch("http://tap/events", {
      method: "POST",
      body: linesOf(batch, sentAt),
      signal: given.signal,
    });
    const answer = await response.json();
    if (mine === turn) isOpen = response.ok && answer.isOpen === true;
  } catch {
    if (mine !== turn) return;
    isOpen = false;
    // Whoever is not there has heard nothing; whoever does not answer may have heard all of it.
    if (given.signal.aborted) dropped += batch.events.length + batch.dropped;
    else putBack(batch);
  } finally {
    clearTimeout(timer);
  }
  if (mine !== turn) return;
  lostAt = underway = undefined;
  trim();
  if (events.length > first) arrange();
}

/** Sees to it that what is held leaves. */
function arrange() {
  const now = Date.now();
  if (lostAt !== undefined && now < lostAt) return;
  if (underway !== undefined) dropped += underway.events.length + underway.dropped;
  underway = undefined;
  turn += 1;
  const pause = isOpen ? OPEN_PAUSE : Math.max(OPEN_PAUSE, CLOSED_PAUSE - (now - sentAt));
  lostAt = now + pause + LATE;
  try {
    waitUntil(send(turn, pause));
  } catch {
    // While modules are evaluated nothing can be sent; the next event tries again.
    lostAt = undefined;
  }
}

const observer = {
  tell(event) {
    try {
      keep(event);
      if (lostAt === undefined || event.at >= lostAt) arrange();
    } catch {
      dropped += 1;
    }
  },
  nextId() {
    prefix ??= Math.random().toString(36).slice(2, 8);
    ids += 1;
    return `${prefix}${ids.toString(36)}`;
  },
  within: (scope, run) => scopes.run(scope, run),
  current: () => scopes.getStore(),
  shard: (object, now) => new ShardWatch(observer, object, now),
  requested: tellRequest,
  action: observeAction,
  fetched: observeFetch,
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
      const scope = scopes.getStore();
      observer.tell({
        type: "log",
        at: Date.now(),
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
