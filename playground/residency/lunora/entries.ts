import { mutation, query, v } from "./_generated/server";

export const list = query
  .input({ ship: v.string() })
  .query(({ ctx }) => ctx.db.query("entries").order("desc").take(100));

export const write = mutation
  .input({ ship: v.string(), text: v.string() })
  .mutation(({ ctx, args }) => ctx.db.insert("entries", { ...args, at: ctx.now }));
