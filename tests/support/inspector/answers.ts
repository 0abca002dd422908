// What the inspector's API answers, from the timeline and by rule.
import { entryAt, GENERAL, LOG_HEAD, rowOf, shardName, SHARDS } from "./timeline.ts";

type Fields = Readonly<Record<string, unknown>>;

const PAGE_HTML = `<h1 style="color:#4a4fc4">Welcome</h1><p>Your code is <b>483920</b>.</p>`;

export const MAILS: Fields[] = Array.from({ length: 30 }, (_, index) => ({
  id: `mail${index}`,
  at: Date.now() - index * 60_000,
  from: "Chat <chat@example.com>",
  to: [`person-${index}@example.com`],
  subject: index % 4 === 0 ? "Welcome to the chat" : `Digest ${index}`,
  isRead: index % 3 !== 0,
  size: 2048 + index,
  attachments: index % 5 === 0 ? 1 : 0,
  direction: index % 7 === 3 ? "inbound" : "sent",
  call: "call3",
  functionPath: "people:welcome",
  region: "eu",
}));

export const mail = (id: string): Fields => ({
  ...MAILS.find((one) => one["id"] === id),
  headers: [
    ["From", "Chat <chat@example.com>"],
    ["Subject", "Welcome"],
    ["Message-ID", "<1@example.com>"],
  ],
  text: "Your code is 483920.\nhttps://example.com/confirm?code=483920",
  html: PAGE_HTML,
  frame: `/api/mail/${id}/html?ticket=for-${id}`,
  links: ["https://example.com/confirm?code=483920"],
  codes: ["483920"],
  parts: [
    { index: 0, type: "text/plain", size: 40 },
    { index: 1, type: "text/html", size: 90 },
    { index: 2, type: "application/pdf", name: "terms.pdf", size: 90_000 },
  ],
});

export const mailPage = `<!doctype html><meta charset="utf-8"><title>Mail</title>${PAGE_HTML}`;

export function shardPage(query: URLSearchParams): Fields {
  const [limit, start, search] = [
    Number(query.get("limit") ?? 200),
    Number(query.get("cursor") ?? 0),
    query.get("search") ?? "",
  ];
  const names = Array.from({ length: SHARDS }, (_, index) => shardName(index)).filter((name) => name.includes(search));
  const shards = names.slice(start, start + limit).map((name, index) => ({
    name,
    tier: name === "__root__" ? "root" : "shardBy",
    activity:
      index % 4 === 3
        ? null
        : {
            lastEventAt: Date.now() - index * 1000,
            lastWriteAt: Date.now() - index * 1000,
            opsPerSecond: index === 2 ? 812 : 0,
            sockets: (start + index) % 5,
            region: index % 2 === 0 ? null : "eu",
          },
  }));
  return { shards, cursor: start + limit < names.length ? String(start + limit) : null };
}

export const app: Fields = {
  tables: [
    {
      name: "messages",
      tier: "shardBy",
      shardBy: "channelId",
      fields: { channelId: "id(channels)", author: "string", body: "string", likes: "number" },
      indexes: { by_author: { fields: ["author"] } },
      needsPolicy: true,
    },
    { name: "channels", tier: "root", shardBy: null, fields: { name: "string" }, indexes: {}, needsPolicy: true },
  ],
  functions: ["messages:send", "messages:list", "messages:remove", "channels:create", "people:welcome"].map(
    (path, index) => ({
      path,
      kind: path.endsWith("list") ? "query" : "mutation",
      visibility: index === 4 ? "internal" : "public",
      address: "channelId",
      file: `lunora/${path.split(":")[0]}.ts`,
      line: 10 + index,
      input: { channelId: "id(channels)" },
    }),
  ),
  shapes: [{ name: "recent", table: "messages" }],
  jurisdiction: "eu",
  findings: [
    {
      code: "POLICY_MISSING",
      severity: "warning",
      message: "The table `channels` has no row policy: whoever can call a query of it sees every row.",
      help: "Add `.policy(…)` to the table.",
      labels: [
        { file: "lunora/schema.ts", start: { line: 4, column: 3 }, frame: "4 | channels: defineTable({\n  : ^^^^^^^^" },
      ],
    },
  ],
  drift: [
    { kind: "fieldRemoved", text: "`messages.title` is gone", isBreaking: true },
    { kind: "tableAdded", text: "`channels` is new", isBreaking: false },
  ],
};

export const residency: Fields = {
  jurisdiction: "eu",
  classes: [
    {
      class: "ShardDO",
      region: "eu",
      stored: [
        {
          server: "development",
          region: "eu",
          objects: 12,
          bytes: 940_000,
          folder: ".lunora/state/eu/ShardDO",
          reachable: true,
        },
        {
          server: "development",
          region: null,
          objects: 3,
          bytes: 120_000,
          folder: ".lunora/state/ShardDO",
          reachable: false,
        },
      ],
    },
  ],
  tables: [
    {
      table: "messages",
      tier: "shardBy",
      heldBy: "ShardDO",
      region: "eu",
      stored: [
        { server: "development", region: "eu", objects: 11, rows: 4_201, bytes: 380_000, reachable: true },
        { server: "development", region: null, objects: 3, rows: 12, bytes: 2_100, reachable: false },
      ],
    },
    { table: "channels", tier: "root", heldBy: "ShardDO", region: "eu", stored: [] },
  ],
  databases: [
    {
      server: "development",
      database: "DB",
      file: ".lunora/state/d1/DB.sqlite",
      bytes: 24_576,
      tables: { countries: 3 },
    },
  ],
};

const CLAUSES = [
  {
    clause: 'channelId eq "general"',
    source: "where",
    columns: ["channelId"],
    operands: ["general"],
    value: "general",
    holds: true,
  },
  { clause: "likes gt 3", source: "policy", columns: ["likes"], operands: [3], value: 1, holds: false },
];

/** Operations of the worker, by name. */
export const operations: Readonly<Record<string, (argument: Fields) => unknown>> = {
  shard: ({ object }) => ({
    name: object,
    objectId: "00ff",
    region: "eu",
    bytes: object === GENERAL ? 1_420_000_000 : 4_812_000,
    tables: [
      { name: "messages", rows: 5000, isInternal: false },
      { name: "__cdc_log", rows: LOG_HEAD, isInternal: true },
    ],
    log: { epoch: "7f3a", floor: 1, head: LOG_HEAD, rows: LOG_HEAD, bytes: 90_000_000 },
    sockets: 3,
    subscriptions: 7,
    lastWriteAt: Date.now() - 4000,
    mutationsPerSecond: 12.4,
    warnings: object === GENERAL ? ["size"] : [],
  }),
  policies: () => ({
    policies: (["read", "insert", "delete"] as const).map((on) => ({
      table: "messages",
      on,
      functions: on === "read" ? ["messages:list"] : ["messages:send", "messages:remove"],
      shapes: on === "read" ? ["recent"] : [],
    })),
    unread: [{ name: "people:welcome", error: "SETTING is not set" }],
  }),
  oplog: ({ before, after, limit, table, id, op, head: newest }) => {
    const head = Number(newest);
    const [now, most, entries] = [Date.now(), Number(limit), [] as Fields[]];
    const fits = (entry: Fields): boolean =>
      (table ?? entry["table"]) === entry["table"] &&
      (id ?? entry["id"]) === entry["id"] &&
      (op ?? entry["op"]) === entry["op"];
    if (typeof after === "number") {
      if (after < 0) throw new Error("`after` has to be a whole number from 0");
      for (let seq = after + 1; seq <= head && entries.length < most; seq += 1) entries.push(entryAt(seq, now));
    } else {
      const last = typeof before === "number" ? before - 1 : head;
      for (let seq = last; seq > Math.max(0, last - 20_000) && entries.length < most; seq -= 1)
        if (fits(entryAt(seq, now))) entries.push(entryAt(seq, now));
    }
    return { epoch: "7f3a", floor: 1, head, entries };
  },
  rows: ({ cursor, limit, filter }) => {
    const [start, most] = [Number(cursor ?? 0), Number(limit)];
    const all = Array.from({ length: 5000 }, (_, index) => rowOf(index)).filter(
      (row) => filter === undefined || row["author"] === ((filter as Fields)["author"] as Fields)?.["eq"],
    );
    return {
      rows: all.slice(start, start + most),
      cursor: start + most < all.length ? String(start + most) : null,
      total: 5000,
    };
  },
  row: ({ id }) => {
    const seq = Number(String(id).slice(3));
    return {
      row: { ...rowOf(seq), _id: id },
      history: [
        {
          ...entryAt(LOG_HEAD + 1 + (seq % 50), Date.now()),
          id,
          op: "update",
          before: { ...rowOf(seq), likes: 99 },
          after: rowOf(seq),
        },
      ],
    };
  },
  edit: ({ id }) => ({ seq: LOG_HEAD, row: { ...rowOf(1), _id: id } }),
  clients: () => ({
    sockets: [0, 1, 2].map((index) => ({
      socket: `sock${index}`,
      userId: index === 2 ? null : "ada",
      clientId: `client-${index}`,
      subscriptions: [
        { id: "q1", kind: "query", name: "messages:list", args: { channelId: "general" }, toSeq: LOG_HEAD },
      ],
    })),
    clients: [{ userId: "ada", clientId: "client-1", watermark: 41, seenAt: Date.now() - 9000 }],
  }),
  shapes: () => ({
    shapes: [
      {
        name: "recent",
        table: "messages",
        columns: ["_id", "body"],
        args: { channelId: "general" },
        subscribers: 2,
        members: 312,
        predicate: CLAUSES.map((clause) => ({ ...clause, holds: null })),
        sql: `SELECT * FROM "messages" WHERE "channelId" = 'general'`,
      },
    ],
  }),
  why: ({ id }) => ({
    isMember: false,
    clauses: CLAUSES,
    sql: `"channelId" = 'general' AND "likes" > 3`,
    row: { ...rowOf(1), _id: id },
  }),
  run: () => ({ result: { ok: true }, call: "call7", fromSeq: LOG_HEAD + 7, toSeq: LOG_HEAD + 8 }),
  jobs: () => ({
    jobs: [
      {
        id: "job1",
        functionPath: "reminders:send",
        args: { to: "ada" },
        dueAt: Date.now() + 90_000,
        state: "waiting",
        attempt: 0,
      },
      {
        id: "job2",
        functionPath: "digest:send",
        args: {},
        dueAt: Date.now() - 5000,
        state: "dead",
        attempt: 5,
        lastError: { code: "MAIL_NOT_SENT", message: "the transport refused it" },
      },
    ],
    crons: [
      {
        name: "digest",
        expression: "0 7 * * *",
        functionPath: "digest:send",
        args: {},
        lastAt: Date.now() - 3_600_000,
      },
    ],
    cursor: null,
  }),
  job: () => ({}),
};
