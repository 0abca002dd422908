//! Inputs that nobody means: no panic, no hang, spans inside the file.
//!
//! `LUNORA_SEED` replays a run; `LUNORA_RUNS` changes how many inputs are tried.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lunora_diagnostics::Diagnostic;
use lunora_parse::{AnalyzeOptions, EmitOptions, MAX_SOURCE_BYTES, ProjectFiles, analyze_file, build_application};
use lunora_testing::Random;

/// The figure that stands for a hang.
const HANG: Duration = Duration::from_secs(1);

fn runs() -> usize {
    std::env::var("LUNORA_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000)
}

const PIECES: &[&str] = &[
    "\0",
    "\u{feff}",
    "\r\n",
    "\r",
    "\u{2028}",
    "😀",
    "é",
    "\u{202e}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "`",
    "${",
    "'",
    "\"",
    "/*",
    "*/",
    "//",
    "/",
    "\\",
    "\\u",
    "\\u{110000}",
    "=>",
    "...",
    "?.",
    "??",
    "!",
    "@",
    "#",
    "as const",
    "satisfies",
    "import ",
    "export ",
    "default ",
    "type ",
    "async ",
    "await ",
    "yield ",
    "class A {",
    "enum E {",
    "namespace N {",
    "function* g(",
    "0x",
    "1e999",
    "1n",
    "v.",
    ".query(",
    ".input({",
    "ctx.db",
    "query",
    "export const x = ",
    ";",
    ",",
    ":",
    "=",
    "defineSchema(",
    "defineTable(",
    "<a>",
    "</a>",
    "\u{fffe}",
    "\u{0}\u{0}",
];

fn mutate(random: &mut Random, corpus: &[String]) -> String {
    let base = &corpus[random.below(corpus.len())];
    let mut text: Vec<char> = base.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len() + 1);
        match random.below(8) {
            0 => text.truncate(at),
            1 => {
                let until = (at + random.below(40)).min(text.len());
                text.drain(at.min(until)..until);
            }
            2 | 3 => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..at, piece.chars());
            }
            4 => {
                let other: Vec<char> = corpus[random.below(corpus.len())].chars().collect();
                let from = random.below(other.len() + 1);
                let until = (from + random.below(200)).min(other.len());
                text.splice(at..at, other[from..until].iter().copied());
            }
            5 => {
                let piece = PIECES[random.below(PIECES.len())].repeat(random.below(200));
                text.splice(at..at, piece.chars());
            }
            6 => {
                let until = (at + random.below(30)).min(text.len());
                let copy: Vec<char> = text[at..until].to_vec();
                for _ in 0..random.below(5) {
                    text.splice(at..at, copy.iter().copied());
                }
            }
            _ => {
                if let Some(character) = text.get_mut(at) {
                    *character = char::from_u32(u32::try_from(random.below(0x3000)).unwrap()).unwrap_or('\0');
                }
            }
        }
    }
    let mut text: String = text.into_iter().collect();
    match random.below(12) {
        0 => text = text.replace('\n', "\r\n"),
        1 => text.insert(0, '\u{feff}'),
        _ => {}
    }
    text
}

fn check_spans(text: &str, path: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        for label in diagnostic.labels.iter().filter(|label| label.file == path) {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(start <= end && end <= text.len(), "{diagnostic:?}");
            assert!(
                text.is_char_boundary(start) && text.is_char_boundary(end),
                "{diagnostic:?}"
            );
        }
    }
}

fn examine(path: &str, text: &str, schema: &Arc<lunora_parse::FileAnalysis>) -> Duration {
    let resolve = |_: &str, _: &str| None;
    let options = AnalyzeOptions {
        emit: Some(EmitOptions {
            resolution: 0,
            resolve: &resolve,
            verbatim_module_syntax: false,
            jsx_import_source: "react",
            source_map: true,
        }),
    };
    let start = Instant::now();
    let analysis = Arc::new(analyze_file(path, text, &options));
    check_spans(text, path, &analysis.diagnostics);
    for import in &analysis.imports {
        assert!(text.is_char_boundary(import.span.start as usize) && import.span.end as usize <= text.len());
    }
    let mut files = vec![analysis];
    if path != "lunora/schema.ts" {
        files.push(schema.clone());
    }
    let (_, diagnostics) = build_application(&ProjectFiles {
        directory: "lunora".to_owned(),
        files,
    });
    check_spans(text, path, &diagnostics);
    start.elapsed()
}

fn corpus() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    support::read_folder(&root)
}

#[test]
fn mutated_apps() {
    let mut random = Random::anew("hostile");
    let files = corpus();
    let texts: Vec<String> = files.iter().map(|(_, text)| text.clone()).collect();
    let schema = files.iter().find(|(path, _)| path == "chat/lunora/schema.ts").unwrap();
    let schema = Arc::new(analyze_file("lunora/schema.ts", &schema.1, &AnalyzeOptions::default()));
    for run in 0..runs() {
        let text = mutate(&mut random, &texts);
        let path = match random.below(8) {
            0 => "lunora/a.tsx",
            1 => "lunora/a.js",
            2 | 3 => "lunora/schema.ts",
            _ => "lunora/a.ts",
        };
        let outcome = std::panic::catch_unwind(|| examine(path, &text, &schema));
        match outcome {
            Ok(time) => assert!(time < HANG, "run {run}: {time:?} for {path}:\n{text}"),
            Err(_) => panic!("run {run}: {path}:\n{text}"),
        }
    }
}

#[test]
fn every_truncation_of_an_app() {
    let files = corpus();
    let schema = Arc::new(analyze_file("lunora/schema.ts", "", &AnalyzeOptions::default()));
    for (path, text) in files
        .iter()
        .filter(|(path, _)| path.contains("helpers/") || path.contains("schema_everything/"))
    {
        for end in (0..text.len()).step_by(3).filter(|end| text.is_char_boundary(*end)) {
            assert!(
                examine("lunora/a.ts", &text[..end], &schema) < HANG,
                "{path} cut at {end}"
            );
        }
    }
}

#[test]
fn deep_nesting() {
    let schema = Arc::new(analyze_file("lunora/schema.ts", "", &AnalyzeOptions::default()));
    let forms: &[(&str, &str, &str)] = &[
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a:", "1", "}"),
        ("!", "1", ""),
        ("- ", "1", ""),
        ("a=>", "1", ""),
        ("a?1:", "1", ""),
        ("1+", "1", ""),
        ("a=", "1", ""),
        ("`${", "1", "}`"),
        ("f(()=>", "1", ")"),
        ("new ", "a", ""),
        ("await ", "a", ""),
        ("typeof ", "a", ""),
        ("a", "", ".b"),
        ("a", "", "()"),
        ("a", "", "[0]"),
        ("a", "", "!"),
        ("a", "", "``"),
        ("a", "", " as const"),
        ("1", "", "**1"),
        ("<T,>", "1", ""),
        ("async()=>", "1", ""),
        ("function(){return ", "1", "}"),
        ("class{a=", "1", "}"),
        ("/(", "a", ")/"),
    ];
    let statements: &[(&str, &str, &str)] = &[
        ("{", "", "}"),
        ("if(1)", ";", ""),
        ("if(1){}else ", "{}", ""),
        ("for(;;)", ";", ""),
        ("while(1)", ";", ""),
        ("do ", ";", " while(1)"),
        ("a:", ";", ""),
        ("type A = ", "1", "[]"),
        ("type A = ", "", ""),
        ("namespace a{", "", "}"),
        ("try{", "", "}finally{}"),
        ("switch(1){default:", "", "}"),
        ("function a(){", "", "}"),
        ("class a{static{", "", "}}"),
    ];
    let types: &[(&str, &str, &str)] = &[
        ("(", "1", ")"),
        ("A<", "1", ">"),
        ("keyof ", "1", ""),
        ("{a:", "1", "}"),
        ("[", "1", "]"),
        ("()=>", "1", ""),
        ("A extends B?C:", "1", ""),
        ("", "1", "[]"),
        ("1|", "1", ""),
        ("`${", "1", "}`"),
        ("readonly ", "1", "[]"),
    ];
    for depth in [10, 100, 180, 1_000, 5_000, 20_000, 100_000, 400_000] {
        let make = |(open, middle, close): &(&str, &str, &str)| {
            format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
        };
        let texts = forms
            .iter()
            .map(|form| format!("export const x = {};", make(form)))
            .chain(
                forms
                    .iter()
                    .map(|form| format!("export const x = {};", form.0.repeat(depth))),
            )
            .chain(statements.iter().map(make))
            .chain(types.iter().map(|form| format!("export type X = {};", make(form))));
        for text in texts {
            for path in ["lunora/a.ts", "lunora/schema.ts"] {
                let time = examine(path, &text, &schema);
                if time > HANG / 4 {
                    eprintln!("{time:?}: {} × {depth}", text.chars().take(40).collect::<String>());
                }
                assert!(
                    time < HANG * 3,
                    "{time:?}: {} × {depth}",
                    text.chars().take(40).collect::<String>()
                );
            }
        }
        let jsx = format!("export const x = {}{};", "<a>".repeat(depth), "</a>".repeat(depth));
        examine("lunora/a.tsx", &jsx, &schema);
    }
}

#[test]
fn large_files() {
    let schema = Arc::new(analyze_file("lunora/schema.ts", "", &AnalyzeOptions::default()));
    let too_large = format!("export const x = \"{}\";", "a".repeat(MAX_SOURCE_BYTES));
    let analysis = analyze_file("lunora/a.ts", &too_large, &AnalyzeOptions::default());
    assert_eq!(
        analysis.diagnostics[0].code,
        lunora_diagnostics::codes::SOURCE_TOO_LARGE
    );
    assert!(examine("lunora/a.ts", &too_large, &schema) < HANG);
    for text in [
        "\0".repeat(10 << 20),
        "(".repeat(10 << 20),
        "é".repeat(5 << 20),
        "\n".repeat(10 << 20),
    ] {
        assert!(examine("lunora/a.ts", &text, &schema) < HANG);
    }
    for text in [
        "\0".repeat(7 << 20),
        "(".repeat(7 << 20),
        "\n".repeat(7 << 20),
        format!("export const x = \"{}\";", "a".repeat(7 << 20)),
    ] {
        examine("lunora/a.ts", &text, &schema);
    }
}
