import type { JSX } from "preact";
import type { Job, Jobs } from "../../api/rows.ts";
import { clock } from "../../logic/format.ts";
import { api } from "../../store/api.ts";
import { question } from "../../store/dialogs.ts";
import { useResource } from "../../store/use-resource.ts";
import { Ago } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Empty } from "../../ui/empty.tsx";
import { Loaded, RefusalNotice } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { useAct } from "../../ui/use-act.ts";
import { Value } from "../../ui/value.tsx";

const EXAMPLE = `export const remind = mutation.handler(async ({ ctx }) => {
  await ctx.scheduler.runAfter(60_000, internal.reminders.send, {});
});`;

const isDead = (job: Job): boolean => job.state === "dead";

function Actions({ job, onDone }: { readonly job: Job; readonly onDone: () => void }): JSX.Element {
  const act = useAct();
  const decide = (action: "cancel" | "runNow" | "retry"): void =>
    act.run(`The job: ${action}`, async () => {
      await api.inspect("job", { id: job.id, action });
      onDone();
    });
  const cancel = (): void => {
    question.value = {
      title: "Cancel the job?",
      text: `${job.functionPath} will not run.`,
      yes: "Cancel the job",
      isDangerous: true,
      done: () => decide("cancel"),
    };
  };
  return (
    <>
      <span class="actions">
        {isDead(job) ? (
          <button type="button" class="button small" onClick={() => decide("retry")}>
            Retry
          </button>
        ) : (
          <button type="button" class="button small" onClick={() => decide("runNow")}>
            Run now
          </button>
        )}
        <button type="button" class="button small danger" onClick={cancel}>
          Cancel
        </button>
      </span>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
    </>
  );
}

function JobTable({ jobs, onDone }: { readonly jobs: readonly Job[]; readonly onDone: () => void }): JSX.Element {
  return (
    <Table
      label="Jobs"
      head={["Function", "Arguments", "Due", "State", "Attempt", ""].map((title) => (title === "" ? "Do" : title))}
      rows={jobs.map((job) => ({
        key: job.id,
        cells: [
          <strong key="path">{job.functionPath}</strong>,
          <Value key="args" value={job.args} />,
          <span key="due">
            <time>{clock(job.dueAt)}</time> <Ago at={job.dueAt} />
          </span>,
          <span key="state">
            <Badge tone={isDead(job) ? "bad" : "plain"} {...(isDead(job) ? { icon: "error" as const } : {})}>
              {job.state}
            </Badge>{" "}
            {job.lastError !== undefined && (
              <span title={job.lastError.message}>
                <code>{job.lastError.code}</code>
              </span>
            )}
          </span>,
          job.attempt,
          <Actions key="do" job={job} onDone={onDone} />,
        ],
      }))}
    />
  );
}

/** What will run later, and what runs again and again. */
export function ScheduledPage(): JSX.Element {
  const jobs = useResource("jobs", () => api.inspect<Jobs>("jobs", { limit: 200 }));
  return (
    <Page
      title="Scheduled"
      tools={
        <button type="button" class="button" onClick={jobs.reload}>
          Read again
        </button>
      }
    >
      <Loaded of={jobs}>
        {(value) => (
          <>
            <Section title="Jobs">
              {value.jobs.length === 0 ? (
                <Empty title="Nothing is scheduled" code={EXAMPLE} file="lunora/reminders.ts">
                  A job is a function that runs later, exactly once when it succeeds, again when it fails.
                </Empty>
              ) : (
                <JobTable jobs={value.jobs} onDone={jobs.reload} />
              )}
            </Section>
            <Section title="Crons">
              {value.crons.length === 0 ? (
                <Empty
                  title="No cron is declared"
                  code={'crons.daily("digest", { hourUTC: 7, minuteUTC: 0 }, internal.digest.send);'}
                  file="lunora/crons.ts"
                />
              ) : (
                <Table
                  label="Crons"
                  head={["Name", "Expression", "Function", "Last run"]}
                  rows={value.crons.map((cron) => ({
                    key: cron.name,
                    cells: [
                      <strong key="name">{cron.name}</strong>,
                      <code key="when">{cron.expression}</code>,
                      cron.functionPath,
                      <Ago key="last" at={cron.lastAt} />,
                    ],
                  }))}
                />
              )}
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
