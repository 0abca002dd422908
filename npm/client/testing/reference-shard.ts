import { applyPageOperations, deriveId, pageOf } from "@lunora/protocol";
import type {
  ClientFrame,
  PageOperation,
  PageRow,
  PushEntry,
  PushFrame,
  PushResult,
  RowOperation,
  ServerFrame,
  ShapeSubscribeFrame,
  SubscribeFrame,
} from "@lunora/protocol";

import type { ServerEnd, Wire } from "./network.ts";

/** A row of the model's only table. */
export interface Row extends PageRow {
  readonly _id: string;
  readonly _creationTime: number;
  readonly channel: string;
  readonly author: string;
  readonly tag: string;
}

export type Rows = ReadonlyMap<string, Row>;

/** How an entry ended, and what it called itself. */
type KeptResult = PushResult & { readonly mutationId: string };

/** The answer to an entry whose outcome is kept, or is a success of which nothing is. */
function answerOf(kept: KeptResult | undefined, clientSeq: number): PushResult {
  if (kept === undefined) return { clientSeq };
  const { mutationId: _, ...result } = kept;
  return { ...result, clientSeq };
}

interface State {
  epoch: string;
  head: number;
  /** The oldest position that the log has. */
  floor: number;
  rows: Rows;
  /** Rows before each position. */
  history: ReadonlyMap<number, Rows>;
  watermarks: ReadonlyMap<string, number>;
  results: ReadonlyMap<string, KeptResult>;
  /** Results by client and mutation id. */
  named: ReadonlyMap<string, KeptResult>;
  /** Tags of the mutations that took effect, in order, with their clients. */
  applied: readonly { readonly tag: string; readonly client: string }[];
}

interface LiveQuery {
  readonly path: string;
  readonly args: Arguments;
  last: unknown;
}

interface LiveShape {
  readonly args: Arguments;
  members: Rows;
  checkpoint: number;
}

type Arguments = Readonly<Record<string, string>>;

/** A shard that keeps everything in memory and computes everything afresh: what the protocol means, with no regard to cost. */
export class ReferenceShard {
  state: State = {
    epoch: "e0",
    head: 0,
    floor: 1,
    rows: new Map(),
    history: new Map(),
    watermarks: new Map(),
    results: new Map(),
    named: new Map(),
    applied: [],
  };
  /** What a correct client never does. */
  readonly violations: string[] = [];
  /** Whether a mutation id that was decided under another number is known again, as it should be. */
  knowsNames = true;
  /** While true, each frame is a message of its own, so that a connection may break between them. */
  sendsApart = false;
  /** While true, page deltas are sent where they can be. */
  sendsDeltas = true;
  readonly #connections = new Set<Connection>();

  connect(wire: Wire, identity: string): ServerEnd {
    const connection = new Connection(this, wire, identity);
    this.#connections.add(connection);
    return {
      receive: (text) => connection.receive(text),
      closed: () => void this.#connections.delete(connection),
    };
  }

  closeAll(code: number, of: (identity: string) => boolean = () => true): void {
    for (const connection of Array.from(this.#connections)) {
      if (!of(connection.identity)) continue;
      this.#connections.delete(connection);
      connection.wire.close(code);
    }
  }

  /** Another timeline, from an earlier state. */
  restore(state: State, epoch: string): void {
    this.closeAll(1012);
    this.state = { ...state, epoch };
  }

  /** What sockets listen to. */
  topics(): string[] {
    return Array.from(this.#connections, ({ topics }) => [...topics]).flat();
  }

  /** Tells every socket something. */
  tell(frame: ServerFrame): void {
    for (const connection of this.#connections) {
      connection.queue(frame);
      connection.send();
    }
  }

  trim(): void {
    this.state = { ...this.state, floor: this.state.head + 1 };
  }

  watermark(client: string): number | undefined {
    return this.state.watermarks.get(client);
  }

  /** The rows at a position, if the log still tells. */
  rowsAt(position: number, epoch: string): Rows | undefined {
    const { head, floor, rows, history } = this.state;
    if (epoch !== this.state.epoch || position > head || position + 1 < floor) return undefined;
    return position === head ? rows : history.get(position + 1);
  }

  push(pusher: Connection, { id, clientId, entries }: PushFrame): void {
    const client = `${pusher.identity}\n${clientId}`;
    const before = this.state.watermarks.get(client) ?? 0;
    const push = { hasMisplaced: false };
    const results = entries.map((entry) => this.#take(client, pusher.identity, entry, push));
    const lastMutationId = this.state.watermarks.get(client) ?? 0;
    this.#flush(lastMutationId > before ? client : undefined);
    pusher.queue({ type: "ack", id, results, lastMutationId, cursor: this.state.head, epoch: this.state.epoch });
    for (const connection of this.#connections) connection.send();
    // A late push of a connection that is gone takes effect, too.
    pusher.send();
  }

  #take(
    client: string,
    identity: string,
    { clientSeq, mutationId = "", functionPath, args }: PushEntry,
    push: { hasMisplaced: boolean },
  ): PushResult {
    const watermark = this.state.watermarks.get(client) ?? 0;
    const key = `${client}\n${clientSeq}`;
    // A client that has renumbered, or a page's late frame after another page has: answered, not run.
    const name = `${client}\n${mutationId}`;
    const known = this.knowsNames ? this.state.named.get(name) : undefined;
    const data = { expected: watermark + 1 };
    const misplaced: PushResult = {
      clientSeq,
      error: { code: "OUT_OF_ORDER", status: 409, message: "Another number", data },
    };
    if (clientSeq <= watermark) {
      const kept = this.state.results.get(key);
      if (!this.knowsNames || kept === undefined || kept.mutationId === mutationId) return answerOf(kept, clientSeq);
      if (known !== undefined) return answerOf(known, clientSeq);
      push.hasMisplaced = true;
      return misplaced;
    }
    if (clientSeq > watermark + 1 || push.hasMisplaced) return misplaced;
    const result = known
      ? answerOf(known, clientSeq)
      : this.#run(client, identity, mutationId, functionPath, args as Arguments, clientSeq);
    this.state = {
      ...this.state,
      watermarks: new Map([...this.state.watermarks, [client, clientSeq]]),
      results: new Map([...this.state.results, [key, { ...result, mutationId }]]),
      named: new Map([...this.state.named, [name, { ...result, mutationId }]]),
    };
    return result;
  }

  #run(
    client: string,
    identity: string,
    mutationId: string,
    path: string,
    args: Arguments,
    clientSeq: number,
  ): PushResult {
    const { tag = "", author = "", channel = "", id = "" } = args;
    if (author !== identity) this.violations.push(`${identity} sent ${tag}, which ${author} wrote`);
    const { rows, head, history, applied } = this.state;
    if (path === "rows:fail")
      return { clientSeq, error: { code: "CONFLICT", status: 409, message: "It always fails" } };
    const next = new Map(rows);
    const row = rows.get(id);
    let result: unknown = null;
    if (path === "rows:add" || path === "mutators:put") {
      const added = deriveId(mutationId, "rows", 0);
      next.set(added, { _id: added, _creationTime: head + 1, channel, author, tag });
      result = added;
    } else if (path === "rows:move" && row) next.set(id, { ...row, channel });
    else if (path === "rows:remove") next.delete(id);
    this.state = {
      ...this.state,
      rows: next,
      head: head + 1,
      history: new Map([...history, [head + 1, rows]]),
      applied: [...applied, { tag, client }],
    };
    return { clientSeq, result };
  }

  #flush(moved: string | undefined): void {
    for (const connection of this.#connections) connection.flush(connection.client === moved);
  }
}

/** The result of a query over rows. */
export function runQuery(path: string, args: Arguments, rows: Rows, identity: string): unknown {
  const inOrder = [...rows.values()].sort((left, right) => left._creationTime - right._creationTime);
  switch (path) {
    case "rows:list":
      return inOrder.filter(({ channel }) => channel === args["channel"]);
    case "rows:count":
      return inOrder.length;
    case "rows:mine":
      return { page: inOrder.filter(({ author }) => author === identity).toReversed(), isDone: true };
    default:
      throw new Error(`No query ${path}`);
  }
}

/** The rows of the model's only shape. */
export function shapeRows(args: Arguments, rows: Rows): Rows {
  return new Map([...rows].filter(([, { channel }]) => channel === args["channel"]));
}

/** One socket as the shard sees it. */
class Connection {
  readonly wire: Wire;
  readonly identity: string;
  readonly topics: Set<string> = new Set();
  readonly #shard: ReferenceShard;
  #clientId: string | undefined;
  #poke = 0;
  readonly #queries = new Map<string, LiveQuery>();
  readonly #shapes = new Map<string, LiveShape>();
  #queued: ServerFrame[] = [];

  constructor(shard: ReferenceShard, wire: Wire, identity: string) {
    this.#shard = shard;
    this.wire = wire;
    this.identity = identity;
  }

  get client(): string {
    return `${this.identity}\n${this.#clientId}`;
  }

  queue(...frames: ServerFrame[]): void {
    this.#queued.push(...frames);
  }

  send(): void {
    const frames = this.#queued.splice(0);
    if (this.#shard.sendsApart) for (const frame of frames) this.wire.send(JSON.stringify(frame));
    else if (frames.length > 0) this.wire.send(JSON.stringify({ type: "batch", frames }));
  }

  receive(text: string): void {
    if (text === "lunora-ping") return this.wire.send("lunora-pong");
    const frame = JSON.parse(text) as ClientFrame;
    if ((frame.type === "connect") === (this.#clientId !== undefined))
      this.#shard.violations.push(`${frame.type} out of place`);
    switch (frame.type) {
      case "connect": {
        this.#clientId = frame.clientId ?? "";
        const { head: cursor, epoch } = this.#shard.state;
        this.queue({ type: "ack", id: frame.id, caps: ["batch", "pageDelta"], cursor, epoch, ...this.#counted() });
        break;
      }
      case "subscribe":
        this.#subscribe(frame);
        break;
      case "unsubscribe":
        this.#queries.delete(frame.id);
        break;
      case "shape_subscribe":
        this.#subscribeShape(frame);
        break;
      case "shape_unsubscribe":
        this.#shapes.delete(frame.id);
        break;
      case "whisper_subscribe":
        this.topics.add(frame.topic);
        break;
      case "whisper_unsubscribe":
        this.topics.delete(frame.topic);
        break;
      case "push":
        return this.#shard.push(this, frame);
    }
    this.send();
  }

  #counted(): { lastMutationId?: number } {
    const lastMutationId = this.#shard.watermark(this.client);
    return lastMutationId === undefined ? {} : { lastMutationId };
  }

  #place(): { cursor: number; epoch: string } {
    return { cursor: this.#shard.state.head, epoch: this.#shard.state.epoch };
  }

  #subscribe({ id, query }: SubscribeFrame): void {
    const { functionPath: path, sinceSeq, sinceEpoch } = query;
    const args = query.args as Arguments;
    const last = runQuery(path, args, this.#shard.state.rows, this.identity);
    this.#queries.set(id, { path, args, last });
    const rows = sinceSeq === undefined ? undefined : this.#shard.rowsAt(sinceSeq, sinceEpoch ?? "");
    const isSame = rows && JSON.stringify(runQuery(path, args, rows, this.identity)) === JSON.stringify(last);
    if (isSame) this.queue({ type: "resume", id, ...this.#place() });
    else this.queue({ type: "data", id, data: last, ...this.#place() });
  }

  #subscribeShape({ id, shape, sinceCheckpoint, sinceEpoch, sinceVersion }: ShapeSubscribeFrame): void {
    const args = shape.args as Arguments;
    const members = shapeRows(args, this.#shard.state.rows);
    this.#shapes.set(id, { args, members, checkpoint: this.#shard.state.head });
    const known =
      sinceCheckpoint === undefined || sinceVersion !== "v"
        ? undefined
        : this.#shard.rowsAt(sinceCheckpoint, sinceEpoch ?? "");
    const before = known && shapeRows(args, known);
    this.#pokes(
      [
        {
          type: "pokePart",
          shapeId: id,
          rowsPatch: changesBetween(before ?? new Map(), members),
          version: "v",
          ...(before && sinceCheckpoint !== undefined ? { baseCheckpoint: sinceCheckpoint } : { reset: true }),
        },
      ],
      true,
    );
  }

  #pokes(parts: readonly object[], isAnswer: boolean): void {
    const pokeId = `p${++this.#poke}`;
    const { head: checkpoint, epoch } = this.#shard.state;
    this.queue({ type: "pokeStart", pokeId, epoch });
    for (const part of parts) this.queue({ ...part, pokeId, ...(isAnswer ? {} : this.#counted()) } as ServerFrame);
    this.queue({ type: "pokeEnd", pokeId, checkpoint, epoch });
  }

  flush(hasMoved: boolean): void {
    const { rows, head } = this.#shard.state;
    const before = this.#queued.length;
    for (const [id, query] of this.#queries) {
      const next = runQuery(query.path, query.args, rows, this.identity);
      if (JSON.stringify(next) === JSON.stringify(query.last)) continue;
      const run = this.#shard.sendsDeltas ? deltasBetween(query.last, next) : undefined;
      query.last = next;
      if (run === undefined) this.queue({ type: "data", id, data: next, ...this.#place(), ...this.#counted() });
      for (const [index, delta] of (run ?? []).entries()) {
        const isLast = index === (run?.length ?? 0) - 1;
        this.queue({ type: "delta", id, delta, ...(isLast ? { ...this.#place(), ...this.#counted() } : {}) });
      }
    }
    const parts: object[] = [];
    for (const [shapeId, shape] of this.#shapes) {
      const members = shapeRows(shape.args, rows);
      const rowsPatch = changesBetween(shape.members, members);
      if (rowsPatch.length === 0) continue;
      parts.push({ type: "pokePart", shapeId, rowsPatch, baseCheckpoint: shape.checkpoint });
      shape.members = members;
      shape.checkpoint = head;
    }
    if (parts.length > 0) this.#pokes(parts, false);
    if (hasMoved && this.#queued.length === before)
      this.queue({ type: "settled", ...this.#place(), ...this.#counted() });
  }
}

function changesBetween(before: Rows, after: Rows): RowOperation[] {
  const changes: RowOperation[] = [];
  for (const key of before.keys()) if (!after.has(key)) changes.push({ op: "delete", key, table: "rows" });
  for (const [key, value] of after) {
    if (!before.has(key)) changes.push({ op: "insert", key, table: "rows", value });
    else if (JSON.stringify(before.get(key)) !== JSON.stringify(value))
      changes.push({ op: "update", key, table: "rows", value });
  }
  return changes;
}

/** Page deltas, when the client's rule makes of them what the query returned. */
function deltasBetween(before: unknown, after: unknown): RowOperation[] | undefined {
  const rows = pageOf(before);
  const next = pageOf(after);
  if (rows === undefined || next === undefined) return undefined;
  const byId = (page: readonly PageRow[]): Rows => new Map(page.map((row) => [row._id, row as Row]));
  const run = changesBetween(byId(rows), byId(next));
  const replayed = applyPageOperations(rows, run as readonly PageOperation[]);
  return JSON.stringify(replayed) === JSON.stringify(next) ? run : undefined;
}
