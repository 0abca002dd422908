//! `lunora/crons.ts`, and who uses the scheduler.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]

mod support;

use lunora_diagnostics::{Code, Diagnostic, codes};
use lunora_ir::{Application, Cron};

const SCHEMA: &str = "import { defineSchema, defineTable, v } from \"lunorash/server\";\nexport const schema = defineSchema({ notes: defineTable({ text: v.string() }) });\n";
const JOBS: &str = "import { internalMutation, internalAction, query } from \"./_generated/server\";\n\
    export const tidy = internalMutation.mutation(async ({ ctx }) => { await ctx.db.notes.deleteMany({}); });\n\
    export const mail = internalAction.action(async () => {});\n\
    export const list = query.query(async ({ ctx }) => ctx.db.query(\"notes\").collect());\n";

fn link(files: &[(&str, &str)]) -> (Application, Vec<Diagnostic>) {
    let mut all = vec![("lunora/schema.ts", SCHEMA), ("lunora/jobs.ts", JOBS)];
    all.extend_from_slice(files);
    let linked = support::link(&all);
    (linked.application, linked.diagnostics)
}

fn crons(body: &str) -> (Application, Vec<Diagnostic>) {
    let text = format!(
        "import {{ cronJobs }} from \"lunorash/server\";\nimport {{ api, internal }} from \"./_generated/api\";\n{body}"
    );
    link(&[("lunora/crons.ts", &text)])
}

fn cron(name: &str, expression: &str, function: &str) -> Cron {
    Cron {
        name: name.to_owned(),
        expression: expression.to_owned(),
        function: function.to_owned(),
    }
}

#[test]
fn jobs_are_read_from_statements() {
    let (application, diagnostics) = crons(
        "const NIGHT = { hourUTC: 3, minuteUTC: 30 };\n\
         const crons = cronJobs();\n\
         crons.interval(\"often\", { minutes: 5 }, internal.jobs.mail);\n\
         crons.daily(\"nightly\", NIGHT, internal.jobs.tidy, { deep: Math.random() });\n\
         crons.weekly(\"weekly\", { dayOfWeek: \"monday\", ...NIGHT }, internal.jobs.tidy).monthly(\"monthly\", { day: 1, ...NIGHT }, internal.jobs.tidy);\n\
         crons.cron(\"odd\", \"*/5  * * * *\", internal.jobs.tidy);\n\
         console.log(\"nothing to do with it\");\n\
         export default crons;\n",
    );
    assert_eq!(diagnostics, []);
    assert_eq!(
        application.crons,
        [
            cron("often", "*/5 * * * *", "jobs:mail"),
            cron("nightly", "30 3 * * *", "jobs:tidy"),
            cron("weekly", "30 3 * * MON", "jobs:tidy"),
            cron("monthly", "30 3 1 * *", "jobs:tidy"),
            cron("odd", "*/5 * * * *", "jobs:tidy"),
        ]
    );
    assert_eq!(
        application.cron_triggers(),
        ["*/5 * * * *", "30 3 * * *", "30 3 * * MON", "30 3 1 * *"]
    );
    assert!(application.uses_scheduler() && !application.schedules);
}

#[test]
fn jobs_are_read_from_a_chain() {
    let (application, diagnostics) = crons(
        "export default cronJobs().hourly(\"one\", { minuteUTC: 1 }, internal.jobs.tidy).interval(\"two\", { hours: 6 }, internal.jobs.mail);\n",
    );
    assert_eq!(diagnostics, []);
    assert_eq!(
        application.crons,
        [
            cron("one", "1 * * * *", "jobs:tidy"),
            cron("two", "0 */6 * * *", "jobs:mail")
        ]
    );
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let line = |line: &str| format!("const crons = cronJobs();\n{line}\nexport default crons;\n");
    let cases: &[(&str, Code, &str)] = &[
        (
            "crons.interval(\"a\", { seconds: 30 }, internal.jobs.tidy);",
            codes::CRON_SCHEDULE_INVALID,
            "{ seconds: 30 }",
        ),
        (
            "crons.interval(\"a\", { hours: 5 }, internal.jobs.tidy);",
            codes::CRON_SCHEDULE_INVALID,
            "{ hours: 5 }",
        ),
        (
            "crons.cron(\"a\", \"61 * * * *\", internal.jobs.tidy);",
            codes::CRON_SCHEDULE_INVALID,
            "\"61 * * * *\"",
        ),
        (
            "crons.hourly(\"a\", { minuteUTC: 0 }, internal.jobs.tydi);",
            codes::UNKNOWN_FUNCTION,
            "internal.jobs.tydi",
        ),
        (
            "crons.hourly(\"a\", { minuteUTC: 0 }, api.jobs.list);",
            codes::JOB_TARGET_INVALID,
            "api.jobs.list",
        ),
        (
            "crons.hourly(\"a\", { minuteUTC: 0 }, internal.jobs.tidy); crons.hourly(\"a\", { minuteUTC: 1 }, internal.jobs.tidy);",
            codes::DUPLICATE_CRON,
            "\"a\"",
        ),
        (
            "crons.yearly(\"a\", {}, internal.jobs.tidy);",
            codes::UNKNOWN_MODIFIER,
            "yearly",
        ),
        (
            "crons.hourly(\"a\", { minuteUTC: Date.now() }, internal.jobs.tidy);",
            codes::NOT_STATIC,
            "Date",
        ),
        (
            "crons.hourly(\"a\", { minuteUTC: 0 }, \"jobs:tidy\");",
            codes::BAD_ARGUMENT,
            "\"jobs:tidy\"",
        ),
    ];
    for (text, code, marked) in cases {
        let body = line(text);
        let (_, diagnostics) = crons(&body);
        let [only] = &diagnostics[..] else {
            panic!("{text}: {diagnostics:#?}");
        };
        assert_eq!(only.code, *code, "{text}: {only:?}");
        let whole = format!(
            "import {{ cronJobs }} from \"lunorash/server\";\nimport {{ api, internal }} from \"./_generated/api\";\n{body}"
        );
        let span = only.labels[0].span;
        assert_eq!(&whole[span.start as usize..span.end as usize], *marked, "{text}");
    }
}

#[test]
fn a_file_that_exports_something_else_is_told() {
    for body in [
        "export const crons = cronJobs();\n",
        "export default {};\n",
        "export default other();\n",
    ] {
        let (application, diagnostics) = crons(body);
        assert!(
            diagnostics.iter().any(|found| found.code == codes::CRONS_NOT_EXPORTED),
            "{body}: {diagnostics:?}"
        );
        assert_eq!(application.crons, []);
    }
}

fn schedules(handler: &str) -> (bool, Vec<Diagnostic>) {
    let text = format!(
        "import {{ internal, api }} from \"./_generated/api\";\nimport {{ mutation, action }} from \"./_generated/server\";\n\
         async function later(scheduler) {{ await scheduler.runAfter(5, internal.jobs.tidy); }}\n\
         async function through(ctx) {{ await ctx.scheduler.cancel(\"id\"); }}\n\
         export const run = {handler};\n"
    );
    let (application, diagnostics) = link(&[("lunora/run.ts", &text)]);
    (application.uses_scheduler(), diagnostics)
}

#[test]
fn use_of_the_scheduler_is_seen_through_helpers() {
    for handler in [
        "mutation.mutation(async ({ ctx }) => ctx.scheduler.runAfter(0, internal.jobs.tidy, {}))",
        "action.action(async ({ ctx }) => ctx.scheduler.runAt(5, internal.jobs.mail))",
        "mutation.mutation(async ({ ctx }) => later(ctx.scheduler))",
        "mutation.mutation(async ({ ctx }) => { const { scheduler } = ctx; await scheduler.list(); })",
        "mutation.mutation(async ({ ctx }) => through(ctx))",
    ] {
        assert_eq!(schedules(handler), (true, vec![]), "{handler}");
    }
    assert_eq!(
        schedules("mutation.mutation(async ({ ctx }) => ctx.now)"),
        (false, vec![])
    );
}

#[test]
fn use_of_the_scheduler_is_seen_in_the_triggers_of_a_write() {
    let schema = "import { defineSchema, defineTable, v } from \"lunorash/server\";\nimport { internal } from \"./_generated/api\";\n\
        export const schema = defineSchema({ notes: defineTable({ text: v.string() }), others: defineTable({ text: v.string() }).triggers((t) => ({\n\
        plan: t.afterInsert(async ({ ctx }) => { await ctx.scheduler.runAfter(0, internal.jobs.tidy, {}); }) })) });\n";
    let run = |method: &str| {
        let text = format!(
            "import {{ mutation }} from \"./_generated/server\";\n\
             export const run = mutation.mutation(async ({{ ctx }}) => {{ await ctx.db.{method}; }});\n"
        );
        let (application, diagnostics) = link(&[("lunora/schema.ts", schema), ("lunora/run.ts", &text)]);
        (application.uses_scheduler(), diagnostics)
    };
    assert_eq!(run("insert(\"others\", { text: \"a\" })"), (true, vec![]));
    assert_eq!(run("insert(\"notes\", { text: \"a\" })"), (false, vec![]));
}

#[test]
fn jobs_that_lead_nowhere_are_told() {
    let (_, diagnostics) = schedules("mutation.mutation(async ({ ctx }) => ctx.scheduler.runAfter(0, api.jobs.list))");
    assert_eq!(
        diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(),
        [codes::JOB_TARGET_INVALID]
    );
    let (_, diagnostics) = schedules("action.action(async ({ ctx }) => ctx.scheduler.runAfter(0, api.jobs.nothing))");
    assert_eq!(
        diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(),
        [codes::UNKNOWN_FUNCTION]
    );
}
