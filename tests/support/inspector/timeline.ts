// A timeline as the inspector tells it: made by rule, so that every run sees the same.

type Told = { type: string; n: number; at: number } & Record<string, unknown>;

/** How many shards the registry has, and how many changes the longest log. */
export const SHARDS = 10_000;
export const LOG_HEAD = 1_000_000;

export const GENERAL = "messages:general";
const BODIES = ["Good morning", "Who reviews this?", "It works on my machine", "Deployed", "Lunch at noon?"];

export const shardName = (index: number): string =>
  index === 0 ? GENERAL : index === 1 ? "__root__" : `messages:room-${index}`;

/** The row that the change at a position wrote. */
export const rowOf = (seq: number): Record<string, unknown> => ({
  _id: `msg${String(seq % 5000).padStart(8, "0")}`,
  _creationTime: 1_760_000_000_000 + seq,
  author: seq % 3 === 0 ? "Ada" : "Bo",
  body: BODIES[seq % BODIES.length],
  likes: seq % 7,
});

/** The change at a position, as `inspect/oplog` tells it. */
export function entryAt(seq: number, now: number): Record<string, unknown> {
  const after = rowOf(seq);
  const op = seq % 4 === 0 ? "update" : seq % 9 === 0 ? "delete" : "insert";
  return {
    seq,
    at: now - (LOG_HEAD - seq) * 10,
    table: "messages",
    id: after["_id"],
    op,
    before: op === "insert" ? null : { ...after, likes: 99 },
    after: op === "delete" ? null : after,
  };
}

/** One mutation with everything it leads to, from `n` on. */
export function mutation(index: number, n: number, at: number): Told[] {
  const call = `call${index}`;
  const fromSeq = LOG_HEAD + index;
  const toSeq = fromSeq + 1;
  const object = GENERAL;
  const row = rowOf(toSeq);
  const functionPath = "messages:send";
  return [
    {
      type: "request",
      n,
      at,
      call,
      path: "/_lunora/rpc",
      functionPath,
      object,
      userId: "ada",
      status: 200,
      ms: 4,
      ...(index % 5 === 0 ? { crossing: { from: "us", to: "eu" } } : {}),
    },
    {
      type: "log",
      n: n + 1,
      at,
      level: index % 4 === 0 ? "warn" : "info",
      text: `sending message ${index}`,
      call,
      functionPath,
      object,
    },
    {
      type: "call",
      n: n + 2,
      at,
      object,
      call,
      kind: "mutation",
      functionPath,
      args: JSON.stringify({ channelId: "general", body: row["body"] }),
      userId: "ada",
      clientId: "client-1",
      outcome: "ok",
      ms: 1.4,
      fromSeq,
      toSeq,
    },
    {
      type: "commit",
      n: n + 3,
      at,
      object,
      epoch: "7f3a",
      fromSeq,
      toSeq,
      by: "calls",
      calls: [{ call, functionPath, fromSeq, toSeq }],
      changes: [{ seq: toSeq, table: "messages", id: row["_id"], op: "insert", after: JSON.stringify(row) }],
    },
    {
      type: "poke",
      n: n + 4,
      at,
      object,
      socket: `sock${index % 3}`,
      fromSeq,
      toSeq,
      frames: 3,
      bytes: 412,
      subscriptions: [{ id: "q1", kind: "query", name: "messages:list", rowsIn: 1, rowsOut: 0, rows: [row["_id"]] }],
      calls: [call],
      ms: 0.8,
    },
  ];
}

const OTHERS: readonly Record<string, unknown>[] = [
  { type: "socket", object: GENERAL, socket: "sock0", state: "opened", userId: "ada", clientId: "client-1" },
  {
    type: "subscription",
    object: GENERAL,
    socket: "sock0",
    id: "q1",
    kind: "query",
    name: "messages:list",
    state: "began",
    rows: 40,
  },
  {
    type: "subscription",
    object: GENERAL,
    socket: "sock1",
    id: "s1",
    kind: "shape",
    name: "openTasks",
    state: "reseeded",
    cause: "CDC_LOG_TRIMMED",
    rows: 12,
  },
  {
    type: "watermark",
    object: GENERAL,
    clients: [{ userId: "ada", clientId: "client-1", lastMutationId: 41, outcome: "OUT_OF_ORDER" }],
  },
  { type: "fault", object: GENERAL, fault: "dropSocket", socket: "sock1", state: "happened", by: "user", details: {} },
  {
    type: "fault",
    fault: "failRegion",
    region: "eu",
    state: "happened",
    by: "chaos",
    seed: 42,
    step: 9,
    details: { ms: 1351 },
  },
  {
    type: "fault",
    fault: "cutPoke",
    state: "skipped",
    by: "chaos",
    seed: 42,
    step: 10,
    details: { code: "NOT_FOUND", message: "no client is connected to an object" },
  },
  { type: "log", level: "error", text: "Error: the channel is closed", stack: "at send (lunora/messages.ts:12:9)" },
];

/** What is there when a page comes. */
export function timeline(now: number): Told[] {
  const events: Told[] = OTHERS.map((event, index) => ({ ...event, n: index + 1, at: now - 30_000 + index }) as Told);
  for (let index = 0; index < 60; index += 1)
    events.push(...mutation(index, events.length + 1, now - (60 - index) * 400));
  return events;
}
