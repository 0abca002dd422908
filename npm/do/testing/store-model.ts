import type { Random } from "./random.ts";
import type { Loose } from "./loose.ts";

/** The users, posts, comments and invoices of the store app, as plain maps. */

type Row = Record<string, Loose>;
export type State = Record<"users" | "posts" | "comments" | "invoices", Map<string, Row>>;
type TableName = keyof State;

/** One step as the app takes it, and as the model does. */
export interface ModelStep {
  readonly table: TableName;
  readonly method: "insert" | "insertMany" | "patch" | "delete";
  readonly args: readonly Loose[];
  readonly caught: boolean;
}

export class ModelError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const FOREIGN_KEYS: readonly (readonly [
  from: TableName,
  field: string,
  to: TableName,
  rule: "cascade" | "restrict" | "set null",
])[] = [
  ["posts", "authorId", "users", "cascade"],
  ["posts", "editorId", "users", "set null"],
  ["comments", "postId", "posts", "cascade"],
  ["comments", "parentId", "comments", "cascade"],
  ["invoices", "userId", "users", "restrict"],
  ["invoices", "postId", "posts", "restrict"],
];

export function emptyState(): State {
  return { users: new Map(), posts: new Map(), comments: new Map(), invoices: new Map() };
}

export function copyState(state: State): State {
  return Object.fromEntries(
    Object.entries(state).map(([table, rows]) => [table, new Map([...rows].map(([id, row]) => [id, { ...row }]))]),
  ) as State;
}

function checkUnique(state: State, id: string, row: Row): void {
  for (const field of ["email", "nick"]) {
    if (row[field] === undefined) continue;
    for (const [other, existing] of state.users)
      if (other !== id && existing[field] === row[field]) throw new ModelError("NOT_UNIQUE");
  }
}

/** Whether two users share what only one may have. */
export function hasDuplicates(state: State): boolean {
  try {
    for (const [id, row] of state.users) checkUnique(state, id, row);
    return false;
  } catch {
    return true;
  }
}

function insert(state: State, table: TableName, id: string, row: Row, checks: boolean): void {
  if (checks && table === "users") checkUnique(state, id, row);
  state[table].set(id, { ...row });
}

function remove(state: State, table: TableName, id: string): void {
  if (!state[table].has(id)) throw new ModelError("NOT_FOUND");
  const gone: [TableName, string][] = [[table, id]];
  const isGone = (name: TableName, key: string): boolean =>
    gone.some(([otherName, otherKey]) => otherName === name && otherKey === key);
  for (let place = 0; place < gone.length; place += 1) {
    const [name, key] = gone[place] as [TableName, string];
    for (const [from, field, to, rule] of FOREIGN_KEYS) {
      if (to !== name || rule !== "cascade") continue;
      for (const [child, row] of state[from]) if (row[field] === key && !isGone(from, child)) gone.push([from, child]);
    }
  }
  for (const [from, field, to, rule] of FOREIGN_KEYS) {
    for (const [child, row] of state[from]) {
      if (row[field] === undefined || isGone(from, child) || !isGone(to, row[field])) continue;
      if (rule === "restrict") throw new ModelError("RELATION_RESTRICTED");
      if (rule === "set null") delete row[field];
    }
  }
  for (const [name, key] of gone) state[name].delete(key);
}

/** Does a step in the model; inserted rows get the ids that `idOf` says. `checks`: duplicates are told at once. */
export function applyStep(
  state: State,
  { table, method, args }: ModelStep,
  idOf: (place: number) => string,
  checks = true,
): void {
  const before = copyState(state);
  try {
    switch (method) {
      case "insert":
        insert(state, table, idOf(0), args[0], checks);
        break;
      case "insertMany":
        args[0].forEach((row: Row, place: number) => insert(state, table, idOf(place), row, checks));
        break;
      case "patch": {
        const [id, patch] = args;
        const row = state[table].get(id);
        if (row === undefined) throw new ModelError("NOT_FOUND");
        for (const [field, value] of Object.entries(patch)) {
          if (value === null) delete row[field];
          else row[field] = value;
        }
        if (checks && table === "users") checkUnique(state, id, row);
        break;
      }
      case "delete":
        remove(state, table, args[0]);
    }
  } catch (error) {
    Object.assign(state, before);
    throw error;
  }
}

/** A step that makes sense, or nearly: some break a rule. */
export function randomStep(random: Random, state: State): ModelStep {
  const users = [...state.users.keys()];
  const posts = [...state.posts.keys()];
  const comments = [...state.comments.keys()];
  const caught = random.chance(0.75);
  const user = (): Row => ({
    email: `${random.below(12)}@x`,
    name: `${random.below(5)}`,
    ...(random.chance(0.3) ? { nick: `${random.below(8)}` } : {}),
  });
  const options: ModelStep[] = [
    { table: "users", method: "insert", args: [user()], caught },
    { table: "users", method: "insertMany", args: [[user(), user()]], caught },
  ];
  if (users.length > 0) {
    const author = random.pick(users);
    options.push(
      {
        table: "users",
        method: "patch",
        args: [author, random.chance(0.5) ? { nick: null } : { email: `${random.below(12)}@x` }],
        caught,
      },
      { table: "users", method: "delete", args: [author], caught },
      {
        table: "posts",
        method: "insert",
        args: [{ authorId: author, title: "t", ...(random.chance(0.5) ? { editorId: random.pick(users) } : {}) }],
        caught,
      },
      {
        table: "posts",
        method: "insert",
        args: [{ authorId: random.pick(users), editorId: author, title: "t" }],
        caught,
      },
    );
    if (random.chance(0.4))
      options.push({
        table: "invoices",
        method: "insert",
        args: [{ userId: author, ...(posts.length > 0 ? { postId: random.pick(posts) } : {}) }],
        caught,
      });
  }
  if (posts.length > 0) {
    options.push(
      {
        table: "comments",
        method: "insert",
        args: [
          {
            postId: random.pick(posts),
            body: "b",
            ...(comments.length > 0 ? { parentId: random.pick(comments) } : {}),
          },
        ],
        caught,
      },
      { table: "posts", method: "delete", args: [random.pick(posts)], caught },
    );
  }
  if (comments.length > 0) options.push({ table: "comments", method: "delete", args: [random.pick(comments)], caught });
  const [invoice] = state.invoices.keys();
  if (invoice !== undefined) options.push({ table: "invoices", method: "delete", args: [invoice], caught });
  return random.pick(options);
}
