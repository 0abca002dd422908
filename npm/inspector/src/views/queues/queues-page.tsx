import type { JSX } from "preact";
import { Empty } from "../../ui/empty.tsx";
import { Page } from "../../ui/page.tsx";

const EXAMPLE = `export const remind = mutation
  .input({ taskId: v.id("tasks") })
  .handler(async ({ ctx, input }) => {
    await ctx.scheduler.runAfter(0, internal.tasks.process, input);
  });`;

/** Messages of queues. */
export function QueuesPage(): JSX.Element {
  return (
    <Page title="Queues">
      <Empty title="The app has no queue" code={EXAMPLE} file="lunora/tasks.ts">
        Work that must not be lost and may wait can be a job today: it is stored in the same transaction as the rows it
        is about, and runs again when it fails. <a href="/scheduled">Scheduled</a> lists jobs.
      </Empty>
    </Page>
  );
}
