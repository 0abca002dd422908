// The text of one function file: five functions, about 56 lines and 2.2 kB, the same for every side.

const number = (index) => String(index).padStart(4, "0");

/** @param {number} index */
export const moduleName = (index) => `tasks${number(index)}`;

/** One table for every 25 files, as an app of that size would have. */
export const tableCount = (files) => Math.max(1, Math.ceil(files / 25));

/** @param {number} index */
export const tableName = (index) => `tasks_${String(index).padStart(2, "0")}`;

/** The function that the measurements call: it answers from the shard's SQLite and with the leaf module's constant. */
export const probePath = `${moduleName(0)}:probe`;

const probe = (table) => `/** What the measurements ask for. */
export const probe = query
  .input({})
  .query(async ({ ctx }) => {
    const rows = await ctx.db.query("${table}").take(1);
    return { revision, rows: rows.length };
  });
`;

const summary = (table) => `/** How many tasks of a project are in which state, and their points. */
export const summary = query
  .input({ project: v.string() })
  .query(async ({ ctx, args }) => {
    const tasks = await ctx.db
      .query("${table}")
      .withIndex("by_project", (range) => range.eq("project", args.project))
      .collect();
    const counts = { open: 0, closed: 0, points: 0 };
    for (const task of tasks) {
      counts[task.state] += 1;
      counts.points += task.points;
    }
    return counts;
  });
`;

/**
 * @param {number} index of the file; the first one holds the probe
 * @param {number} files in the whole app
 */
export function functionFile(index, files) {
  const table = tableName(index % tableCount(files));
  const first = index === 0;
  return `import { mutation, query, v } from "./_generated/server.js";
${first ? 'import { revision } from "./settings.js";\n' : ""}
export const list = query
  .input({ project: v.string(), limit: v.optional(v.number()) })
  .query(async ({ ctx, args }) => {
    const limit = Math.max(1, Math.min(args.limit ?? 25, 100));
    return ctx.db
      .query("${table}")
      .withIndex("by_project", (range) => range.eq("project", args.project))
      .order("desc")
      .take(limit);
  });

${first ? probe(table) : summary(table)}
/** Adds a task; its title is kept without the spaces around it. */
export const create = mutation
  .input({ project: v.string(), title: v.string(), points: v.number(), labels: v.array(v.string()) })
  .mutation(async ({ ctx, args }) => {
    const title = args.title.trim();
    if (title.length === 0) throw new Error("A task of ${moduleName(index)} needs a title");
    return ctx.db.insert("${table}", { ...args, title, state: "open" });
  });

/** Changes what is given and says whether the task was there. */
export const update = mutation
  .input({ id: v.id("${table}"), title: v.optional(v.string()), points: v.optional(v.number()) })
  .mutation(async ({ ctx, args }) => {
    const task = await ctx.db.get("${table}", args.id);
    if (task === null) return false;
    const { title = task.title, points = task.points } = args;
    await ctx.db.patch("${table}", args.id, { title, points });
    return true;
  });

/** Closes a task that is still open. */
export const close = mutation
  .input({ id: v.id("${table}") })
  .mutation(async ({ ctx, args }) => {
    const task = await ctx.db.get("${table}", args.id);
    if (task === null || task.state === "closed") return false;
    await ctx.db.patch("${table}", args.id, { state: "closed" });
    return true;
  });
`;
}

/** The leaf module whose constant the dev rows edit. */
export const settingsFile = (revision) => `export const revision: number = ${revision};\n`;

/**
 * A function file with one more function, named after `revision`: an edit that changes the types.
 *
 * @param {number} index
 * @param {number} files
 * @param {number} revision
 */
export function editedFunctionFile(index, files, revision) {
  return `${functionFile(index, files)}
/** Added by an edit. */
export const ${editedFunctionName(revision)} = query.input({ project: v.string() }).query(async ({ args }) => args.project.length);
`;
}

/** @param {number} revision */
export const editedFunctionName = (revision) => `edit${revision}`;
