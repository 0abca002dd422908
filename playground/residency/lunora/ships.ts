import { mutation, query, v } from "./_generated/server";

export const list = query.query(({ ctx }) => ctx.db.query("ships").withIndex("by_name").take(100));

/** Does nothing for a ship that is there. */
export const launch = mutation.input({ name: v.string() }).mutation(async ({ ctx, args }) => {
  const known = await ctx.db
    .query("ships")
    .withIndex("by_name", (q) => q.eq("name", args.name))
    .unique();
  if (known === null) await ctx.db.insert("ships", { name: args.name });
});
