import { LunoraError } from "@lunora/errors";

import { callObject } from "../../call-object.ts";
import { reachObject } from "../../reach-object.ts";
import type { RouteScope } from "../../route.ts";
import { SCHEDULER_BINDING, SCHEDULER_OBJECT } from "../../scheduler-protocol.ts";
import type { JobAction, SchedulerMethods } from "../../scheduler-protocol.ts";
import type { AdminBody } from "../admin-body.ts";

/** Most jobs of a page. */
const PAGE = 200;

const ACTIONS: readonly JobAction[] = ["cancel", "runNow", "retry"];

function askScheduler<Answer>(
  { definition, env, timers }: RouteScope,
  question: (scheduler: SchedulerMethods) => Promise<Answer>,
  isRepeatable: boolean,
): Promise<Answer> {
  return callObject(
    () => reachObject<SchedulerMethods>(definition.schema, env, SCHEDULER_BINDING, SCHEDULER_OBJECT),
    question,
    isRepeatable,
    timers,
  );
}

/** Jobs that wait or run, then those that were given up; on the first page crons too: `{cursor?, limit?}`. */
export async function listJobs(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const { scheduling } = scope.definition;
  const limit = body.number("limit", PAGE, 1, PAGE);
  const cursor = body.cursor();
  // An app that schedules nothing has no scheduler.
  if (scheduling === undefined) return { jobs: [], crons: [], cursor: null };
  const page = await askScheduler(scope, (scheduler) => scheduler.look({ cursor, limit }), true);
  if (page === null) throw new LunoraError("BAD_REQUEST", "`cursor` is not one of a page of jobs");
  const lastTimes = new Map(page.crons.map(({ name, lastAt }) => [name, lastAt]));
  const crons =
    cursor === null
      ? scheduling.cronsOf(scope.definition).map(({ name, expression, reference, args }) => ({
          name,
          expression,
          functionPath: reference.path,
          args,
          lastAt: lastTimes.get(name) ?? null,
        }))
      : [];
  return { jobs: page.jobs, crons, cursor: page.cursor };
}

/** Why a job is not where an action takes it. */
const REFUSALS = {
  gone: ["NOT_FOUND", "there is no such job: it has run, was cancelled, or never was"],
  running: ["CONFLICT", "the job runs now"],
  busy: ["CONFLICT", "a mutation is about to cancel the job"],
  dead: ["CONFLICT", "the job was given up: `retry` it"],
  waiting: ["CONFLICT", "the job waits for its next attempt and was not given up: `runNow` makes it run"],
} as const;

/** Decides about one job: `{id, action}`. */
export async function decideJob(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const id = body.text("id");
  const name = body.text("action");
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw new LunoraError("BAD_REQUEST", `\`action\` is one of ${ACTIONS.join(", ")}`);
  const answer =
    scope.definition.scheduling === undefined
      ? "gone"
      : await askScheduler(scope, (scheduler) => scheduler.decide(id, action), false);
  if (answer === "done") return {};
  const [code, why] = REFUSALS[answer];
  throw new LunoraError(code, why, { data: { id } });
}
