//! The rules on apps as people write them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, Severity};
use lunora_lint::lint;
use lunora_parse::{AnalyzeOptions, Linker, ProjectFiles, analyze_file};

const SCHEMA: &str = "import { defineSchema, defineTable, v } from 'lunorash/server';
export const schema = defineSchema({ notes: defineTable({ text: v.string(), at: v.number() }) });";

/// The findings, after the app linked without errors of its own.
fn findings(files: &[(&str, &str)]) -> Vec<Diagnostic> {
    let sources: BTreeMap<String, String> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let outcome = Linker::default().link(&ProjectFiles {
        directory: "lunora".to_owned(),
        files: sources
            .iter()
            .map(|(path, text)| Arc::new(analyze_file(path, text, &AnalyzeOptions::default())))
            .collect(),
    });
    assert_eq!(outcome.diagnostics, []);
    lint(&outcome.application, &outcome.observations, |file| {
        sources.get(file).map(String::as_str)
    })
}

/// Findings of `lunora/notes.ts` with this text, as `CODE text-at-the-place`.
fn of_notes(schema: &str, text: &str) -> Vec<String> {
    let notes = format!(
        "import {{ action, mutation, query, internalMutation, v }} from './_generated/server';
import {{ helper }} from './lib/helper';
{text}"
    );
    let files = [
        ("lunora/schema.ts", schema),
        (
            "lunora/lib/helper.ts",
            "import { inner } from './inner'; export const helper = () => inner();
export class Clock { now() { return Date.now(); } }",
        ),
        (
            "lunora/lib/inner.ts",
            "export function inner() { return Math.random(); }",
        ),
        ("lunora/notes.ts", &notes),
    ];
    findings(&files)
        .iter()
        .map(|finding| {
            let label = &finding.labels[0];
            let (_, text) = files.iter().find(|(path, _)| *path == label.file).unwrap();
            assert!(finding.help.is_some(), "{finding:?}");
            format!(
                "{} {}",
                finding.code.as_str(),
                &text[label.span.start as usize..label.span.end as usize]
            )
        })
        .collect()
}

#[test]
fn every_source_of_another_answer_is_found_in_queries_and_mutations() {
    for (written, place) in [
        ("Date.now()", "Date.now()"),
        ("new Date()", "new Date()"),
        ("new Date", "new Date"),
        ("Math.random()", "Math.random()"),
        ("crypto.randomUUID()", "crypto.randomUUID()"),
        (
            "crypto.getRandomValues(new Uint8Array(8))",
            "crypto.getRandomValues(new Uint8Array(8))",
        ),
        ("await fetch('https://example.com')", "fetch('https://example.com')"),
        ("setTimeout(() => {}, 10)", "setTimeout(() => {}, 10)"),
        ("setInterval(() => {}, 10)", "setInterval(() => {}, 10)"),
        ("performance.now()", "performance.now()"),
        ("globalThis.Math.random()", "globalThis.Math.random()"),
        ("[1].map(() => Date.now())", "Date.now()"),
    ] {
        for (builder, terminal) in [
            ("query", "query"),
            ("mutation", "mutation"),
            ("internalMutation", "mutation"),
        ] {
            let text = format!(
                "export const one = {builder}.{terminal}(async ({{ ctx }}) => {{ await ctx.db.query('notes').first(); return {written}; }});"
            );
            assert_eq!(
                of_notes(SCHEMA, &text),
                [format!("NOT_DETERMINISTIC {place}")],
                "{text}"
            );
        }
        let action = format!("export const one = action.action(async ({{ ctx }}) => {written});");
        assert_eq!(of_notes(SCHEMA, &action), [""; 0], "{action}");
    }
}

#[test]
fn it_is_found_through_helpers_and_told_once() {
    let text = "export const one = query.query(async () => helper());
export const two = mutation.mutation(async ({ ctx }) => ctx.db.insert('notes', { text: '', at: helper() }));
const local = () => Date.now();
export const three = query.query(() => local());
export const four = query.use(async ({ next }) => { local(); return next(); }).query(() => 1);";
    assert_eq!(
        of_notes(SCHEMA, text),
        ["NOT_DETERMINISTIC Math.random()", "NOT_DETERMINISTIC Date.now()"]
    );
}

#[test]
fn what_has_the_same_answer_is_left_alone() {
    for text in [
        "export const one = mutation.mutation(async ({ ctx }) => ctx.db.insert('notes', { text: '', at: ctx.now }));",
        "export const one = query.input({ at: v.number() }).query(({ args }) => new Date(args.at).toISOString());",
        "export const one = query.query(({ ctx }) => new Date(ctx.now).toISOString());",
        "const started = Date.now(); export const one = query.query(() => 1);",
        "const unused = () => Date.now(); export const one = query.query(() => 1);",
        "const Math = { random: () => 4 }; export const one = query.query(() => Math.random());",
        "function fetch() { return 1; } export const one = query.query(() => fetch());",
        "export const one = query.query(() => { const Date = { now: () => 1 }; return Date.now(); });",
        "export const one = query.query(() => Math.max(1, 2));",
        "export const one = action.action(({ ctx }) => ctx.fetch('https://example.com'));",
        "export const one = query.query(() => Date.parse('2026-01-01') + Date.UTC(2026, 1));",
    ] {
        assert_eq!(of_notes(SCHEMA, text), [""; 0], "{text}");
    }
}

#[test]
fn a_namespace_of_ours_is_nobody_elses() {
    for (text, places) in [
        (
            "export const one = action.action(({ ctx }) => ctx.env.SHARD.getByName('x'));",
            vec!["ctx.env.SHARD"],
        ),
        (
            "export const one = action.action(({ ctx }) => ctx.env['SHARD_REGISTRY'].idFromName('x'));",
            vec!["ctx.env['SHARD_REGISTRY']"],
        ),
        (
            "export const one = action.action(({ ctx: { env: { SHARD } } }) => SHARD.newUniqueId());",
            vec!["SHARD"],
        ),
        (
            "export const one = action.action(({ ctx }) => { const { SHARD: mine } = ctx.env; return mine.jurisdiction('eu'); });",
            vec!["SHARD"],
        ),
        (
            "import { env } from 'cloudflare:workers'; const shards = (env as any).SHARD!; export const one = action.action(() => shards.get('x'));",
            vec!["(env as any).SHARD"],
        ),
        (
            "export const one = action.action(({ ctx }) => ctx.env.MINE.getByName('x'));",
            vec![],
        ),
        (
            "export const one = action.action(({ ctx }) => ({ SHARD: ctx.env.TOKEN }).SHARD);",
            vec![],
        ),
    ] {
        let wanted: Vec<String> = places
            .iter()
            .map(|place| format!("NAMESPACE_BYPASSED {place}"))
            .collect();
        assert_eq!(of_notes(SCHEMA, text), wanted, "{text}");
    }
}

#[test]
fn going_around_a_declared_jurisdiction_is_an_error() {
    let schema = SCHEMA.replace(") });", ") }).jurisdiction('eu');");
    let app = "export default { fetch: (request, env) => env.SHARD.getByName('root').fetch(request) };";
    for (schema, severity) in [(SCHEMA, Severity::Warning), (schema.as_str(), Severity::Error)] {
        let found = findings(&[("lunora/schema.ts", schema), ("lunora/app.ts", app)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].code.as_str(), found[0].severity),
            ("NAMESPACE_BYPASSED", severity)
        );
    }
    let silenced = format!("// lunora-ignore NAMESPACE_BYPASSED: the tunnel of the old app\n{app}");
    assert_eq!(
        findings(&[("lunora/schema.ts", &schema), ("lunora/app.ts", &silenced)]),
        []
    );
}

#[test]
fn mail_of_a_pinned_app_names_its_jurisdiction() {
    let pinned = SCHEMA.replace(") });", ") }).jurisdiction('eu');");
    for (text, places) in [
        (
            "const one = (env) => createMailerFromEnv(env);",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, {});",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { cloudflareSend: env.MAIL });",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { jurisdiction: undefined });",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { jurisdiction: 'us' });",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { 'jurisdiction': 'us' } as const);",
            vec!["createMailerFromEnv"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { ...options, jurisdiction: 'us' });",
            vec!["createMailerFromEnv"],
        ),
        ("const one = (env) => renamed(env);", vec!["renamed"]),
        (
            "const one = (env) => mail.createMailerFromEnv(env);",
            vec!["mail.createMailerFromEnv"],
        ),
        (
            "const one = dispatchToLunoraFunction({ functionPath: 'a:b' });",
            vec!["dispatchToLunoraFunction"],
        ),
        (
            "const one = { a: [() => dispatchToLunoraFunction({ functionPath: 'a:b', jurisdiction: 'fedramp' })] };",
            vec!["dispatchToLunoraFunction"],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { jurisdiction: 'eu' });",
            vec![],
        ),
        (
            "const one = (env) => createMailerFromEnv(env, { jurisdiction: 'eu' as const });",
            vec![],
        ),
        (
            "const one = dispatchToLunoraFunction({ functionPath: 'a:b', jurisdiction: \"eu\" });",
            vec![],
        ),
        // Only the running code knows.
        (
            "const one = (env) => createMailerFromEnv(env, { jurisdiction: schema.pinnedJurisdiction });",
            vec![],
        ),
        (
            "const one = (env, jurisdiction) => createMailerFromEnv(env, { jurisdiction });",
            vec![],
        ),
        (
            "const one = (env, options) => createMailerFromEnv(env, options);",
            vec![],
        ),
        (
            "const one = (env, options) => createMailerFromEnv(env, { ...options });",
            vec![],
        ),
        ("const one = (all) => createMailerFromEnv(...all);", vec![]),
        // Others by the same name.
        ("const one = (env) => own(env);", vec![]),
        ("const one = (env) => env.createMailerFromEnv(env);", vec![]),
    ] {
        let app = format!(
            "import {{ createMailerFromEnv, createMailerFromEnv as renamed }} from 'lunorash/mail';
import * as mail from '@lunora/mail';
import {{ dispatchToLunoraFunction }} from 'lunorash/mail/inbound';
import {{ createMailerFromEnv as own }} from './lib/mailer';
export {text}
export default {{}};"
        );
        let files = |schema| [("lunora/schema.ts", schema), ("lunora/app.ts", app.as_str())];
        let found: Vec<String> = findings(&files(&pinned))
            .iter()
            .map(|finding| {
                let span = finding.labels[0].span;
                assert!(finding.message.contains("`eu`"), "{finding:?}");
                assert!(
                    finding.help.as_ref().unwrap().contains("jurisdiction: \"eu\""),
                    "{finding:?}"
                );
                format!(
                    "{} {}",
                    finding.code.as_str(),
                    &app[span.start as usize..span.end as usize]
                )
            })
            .collect();
        let wanted: Vec<String> = places
            .iter()
            .map(|place| format!("MAIL_OUTSIDE_JURISDICTION {place}"))
            .collect();
        assert_eq!(found, wanted, "{text}");
        assert_eq!(findings(&files(SCHEMA)), [], "{text}");
    }
}

#[test]
fn what_is_meant_is_not_told_but_needs_a_reason() {
    let text = |comment: &str| {
        format!(
            "export const one = query.query(() => {{\n  // lunora-ignore NOT_DETERMINISTIC{comment}\n  return Math.random();\n}});"
        )
    };
    assert_eq!(of_notes(SCHEMA, &text(": a die is thrown")), [""; 0]);
    assert_eq!(of_notes(SCHEMA, &text("")), ["NOT_DETERMINISTIC Math.random()"]);
}

#[test]
fn nothing_is_found_in_the_playgrounds() {
    let playgrounds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playground");
    let mut apps = 0;
    for entry in std::fs::read_dir(playgrounds).unwrap() {
        let folder = entry.unwrap().path().join("lunora");
        if !folder.is_dir() {
            continue;
        }
        apps += 1;
        let files: Vec<(String, String)> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ts"))
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (format!("lunora/{name}"), std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(findings(&files), [], "{}", folder.display());
    }
    assert!(apps >= 2, "the playgrounds are there");
}
