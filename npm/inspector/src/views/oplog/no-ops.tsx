import type { JSX } from "preact";
import { Empty } from "../../ui/empty.tsx";

const EXAMPLE = `export const send = mutation
  .input({ channelId: v.id("channels"), body: v.string() })
  .handler(async ({ ctx, input }) => ctx.db.insert("messages", input));`;

/** No change to show. */
export function NoOps({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  if (isFiltered)
    return <Empty title="No change fits">Write a table, an op or a part of an id, as in `messages insert`.</Empty>;
  return (
    <Empty title="Nothing was written yet" code={EXAMPLE} file="lunora/messages.ts">
      Every insert, update and delete of a mutation is an entry here, with the row before and after it, the mutation
      that wrote it and the pokes it caused.
    </Empty>
  );
}
