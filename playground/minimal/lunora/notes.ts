import { mutation, query, v } from "./_generated/server";

export const list = query.query(({ ctx }) => ctx.db.query("notes").order("desc").take(100));

export const add = mutation
  .input({ text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("notes", { text: args.text }));
