//! Times the reader on generated apps: `cargo run --release -p lunora_parse --example throughput -- [files]`.
//!
//! Prints medians. The bare parse is the baseline that the others are ratios of.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lunora_parse::{AnalyzeOptions, EmitOptions, Linker, ParseCache, ProjectFiles, SourceText, analyze_file};
use rayon::prelude::*;
use swc_core::common::BytePos;
use swc_core::ecma::ast::EsVersion;
use swc_core::ecma::parser::{Lexer, Parser, StringInput, Syntax, TsSyntax};

const RUNS: usize = 9;

fn function_file(index: usize) -> String {
    let mut text = String::from(
        "import { mutation, query, v } from \"./_generated/server\";\nimport { required, type Role } from \"./lib/guard.js\";\n\n",
    );
    let _ = writeln!(
        text,
        "interface Options{index} {{\n  limit: number;\n  role: Role;\n}}\n"
    );
    for part in 0..2 {
        let _ = writeln!(
            text,
            "export const list{part} = query\n  .input({{ channelId: v.id(\"channels\"), limit: v.optional(v.number()) }})\n  .query(async ({{ ctx, args }}) => {{\n    const options: Options{index} = {{ limit: args.limit ?? 50, role: \"reader\" }};\n    await required(ctx, options.role);\n    const rows = await ctx.db.query(\"messages\").withIndex(\"by_author\", (q) => q.eq(\"author\", \"someone {index}\")).order(\"desc\").take(options.limit);\n    return rows.map((row) => ({{ id: row._id, body: row.body.trim(), at: new Date(row._creationTime).toISOString() }}));\n  }});\n"
        );
    }
    for part in 0..2 {
        let _ = writeln!(
            text,
            "export const send{part} = mutation\n  .input({{ channelId: v.id(\"channels\"), author: v.string(), body: v.string() }})\n  .mutation(async ({{ ctx, args }}) => {{\n    if (args.body.length > 4_000) {{\n      throw new Error(`too long: ${{args.body.length}}`);\n    }}\n    await required(ctx, \"writer\");\n    return ctx.db.insert(\"messages\", {{ ...args, body: args.body.trim() }});\n  }});\n"
        );
    }
    let _ = writeln!(
        text,
        "export const edit = mutation\n  .input({{ id: v.id(\"messages\"), body: v.string() }})\n  .mutation(async ({{ ctx, args }}) => {{\n    const message = await ctx.db.get(args.id);\n    if (message === null) return false;\n    await ctx.db.patch(message._id, {{ body: args.body }});\n    return true;\n  }});"
    );
    text
}

fn app(files: usize) -> Vec<SourceText> {
    let mut sources = vec![
        SourceText {
            path: "lunora/schema.ts".into(),
            text: "import { defineSchema, defineTable, v } from \"lunorash/server\";\nexport const schema = defineSchema({\n  channels: defineTable({ name: v.string() }),\n  messages: defineTable({ channelId: v.id(\"channels\"), author: v.string(), body: v.string() }).shardBy(\"channelId\").index(\"by_author\", [\"author\"]),\n});\n".into(),
        },
        SourceText {
            path: "lunora/lib/guard.ts".into(),
            text: "import type { QueryCtx } from \"../_generated/server\";\nexport type Role = \"reader\" | \"writer\";\nexport async function required(ctx: QueryCtx, role: Role): Promise<void> {\n  if (!ctx.auth.userId) throw new Error(role);\n  await ctx.db.query(\"messages\").first();\n}\n".into(),
        },
    ];
    for index in 0..files {
        sources.push(SourceText {
            path: format!("lunora/area{}/file{index}.ts", index % 20).into(),
            text: function_file(index)
                .replace("./_generated", "../_generated")
                .replace("./lib", "../lib")
                .into(),
        });
    }
    sources
}

fn bare_parse(text: &str) {
    let end = BytePos(1 + u32::try_from(text.len()).unwrap());
    let input = StringInput::new(text, BytePos(1), end);
    let lexer = Lexer::new(Syntax::Typescript(TsSyntax::default()), EsVersion::EsNext, input, None);
    std::hint::black_box(Parser::new_from(lexer).parse_module().ok());
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

fn main() {
    let files: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    let sources = app(files);
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    println!(
        "{} files, {bytes} bytes, {} threads",
        sources.len(),
        rayon::current_num_threads()
    );

    let facts = AnalyzeOptions::default();
    let resolve = |_: &str, specifier: &str| Some(format!("dev:{specifier}"));
    let emit = AnalyzeOptions {
        emit: Some(EmitOptions {
            resolution: 0,
            resolve: &resolve,
            verbatim_module_syntax: false,
            jsx_import_source: "react",
            source_map: true,
        }),
    };
    let show = |name: &str, time: Duration| println!("{name:<42} {:>10.3} ms", time.as_secs_f64() * 1_000.0);

    show(
        "bare parse, one thread",
        median(|| timed(|| sources.iter().for_each(|source| bare_parse(&source.text)))),
    );
    show(
        "bare parse, all threads",
        median(|| timed(|| sources.par_iter().for_each(|source| bare_parse(&source.text)))),
    );
    show(
        "analyze (facts), all threads",
        median(|| timed(|| ParseCache::default().update(&sources, &facts))),
    );
    show(
        "analyze (facts and JavaScript), all threads",
        median(|| timed(|| ParseCache::default().update(&sources, &emit))),
    );

    let mut cache = ParseCache::default();
    let analyses = cache.update(&sources, &facts);
    let project = ProjectFiles {
        directory: "lunora".to_owned(),
        files: analyses,
    };
    let outcome = Linker::default().link(&project);
    println!(
        "{} functions, {} diagnostics",
        outcome.application.functions.len(),
        outcome.diagnostics.len()
    );
    show("link, cold", median(|| timed(|| Linker::default().link(&project))));

    let mut linker = Linker::default();
    linker.link(&project);
    let mut edited = sources.clone();
    let mut count = 0;
    let target = sources.len() / 2;
    let mut edit = |cache: &mut ParseCache, linker: &mut Linker, options: &AnalyzeOptions<'_>| {
        count += 1;
        edited[target].text = format!("{}\n// edit {count}\n", sources[target].text).into();
        timed(|| {
            let files = cache.update(&edited, options);
            linker.link(&ProjectFiles {
                directory: "lunora".to_owned(),
                files,
            })
        })
    };
    show(
        "one edit: update and link",
        median(|| edit(&mut cache, &mut linker, &facts)),
    );
    let mut cache = ParseCache::default();
    cache.update(&sources, &emit);
    show(
        "one edit with JavaScript: update and link",
        median(|| edit(&mut cache, &mut linker, &emit)),
    );
    let text = sources[target].text.clone();
    show(
        "one file: facts",
        median(|| timed(|| analyze_file("lunora/a.ts", &text, &facts))),
    );
    show(
        "one file: facts and JavaScript",
        median(|| timed(|| analyze_file("lunora/a.ts", &text, &emit))),
    );
    show("one file: bare parse", median(|| timed(|| bare_parse(&text))));
    let _: Arc<str> = text;
}
