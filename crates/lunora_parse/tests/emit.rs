//! JavaScript: what is erased, what is kept, what is rewritten.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lunora_parse::{AnalyzeOptions, EmitOptions, FileAnalysis, ModuleImportKind, ParseCache, SourceText, analyze_file};

fn analyze(path: &str, source: &str, verbatim: bool) -> FileAnalysis {
    let resolve = |from: &str, specifier: &str| specifier.starts_with('.').then(|| format!("{from}>{specifier}"));
    let options = EmitOptions {
        resolution: 0,
        resolve: &resolve,
        verbatim_module_syntax: verbatim,
        jsx_import_source: "react",
        source_map: true,
    };
    analyze_file(path, source, &AnalyzeOptions { emit: Some(options) })
}

fn code(path: &str, source: &str) -> String {
    let analysis = analyze(path, source, false);
    assert!(analysis.diagnostics.is_empty(), "{:?}", analysis.diagnostics);
    analysis.javascript.unwrap().code.to_string()
}

#[test]
fn types_are_erased() {
    let source = "import type { A } from './a';\nimport { type B, c } from './b';\nimport { D, d } from './d';\nexport type { E } from './e';\ninterface I { x: number }\nexport const x = (y: A & B & I): D => c(d, <any>y as unknown, y!) satisfies D;\n";
    let code = code("m.ts", source);
    assert_eq!(
        code,
        "import { c } from \"m.ts>./b\";\nimport { d } from \"m.ts>./d\";\nexport const x = (y)=>c(d, y, y);\n"
    );
}

#[test]
fn imports_used_only_as_types_depend_on_verbatim_module_syntax() {
    let source = "import { A } from './a';\nimport { type B } from './b';\nimport type C from './c';\nexport const x: A | B | C = 1;\n";
    assert_eq!(code("m.ts", source), "export const x = 1;\n");
    let verbatim = analyze("m.ts", source, true).javascript.unwrap().code;
    assert_eq!(
        &*verbatim,
        "import { A } from \"m.ts>./a\";\nimport \"m.ts>./b\";\nexport const x = 1;\n"
    );
}

#[test]
fn a_local_name_does_not_keep_an_import_alive() {
    let code = code(
        "m.ts",
        "import { A } from './a';\nexport const f = (A: number) => A;\nexport let x: A;\n",
    );
    assert!(!code.contains("import"), "{code}");
}

#[test]
fn syntax_that_is_more_than_types() {
    let code = code(
        "m.ts",
        "export enum Color { Red, Green = 'g' }\nnamespace N { export const a = 1 }\nexport class P { constructor(private readonly x: number, public y = 2) {} z = N.a; }\nexport abstract class Q { abstract m(): void; declare w: string; static { Color.Red; } }\n",
    );
    for part in ["Color[\"Green\"] = \"g\"", "N.a = 1", "this.x = x", "class Q"] {
        assert!(code.contains(part), "{part}:\n{code}");
    }
    assert!(
        !code.contains("private") && !code.contains("abstract") && !code.contains("declare"),
        "{code}"
    );
}

#[test]
fn jsx() {
    let code = code(
        "page.tsx",
        "export const page = (name: string) => <main className=\"a\">{name}<></></main>;\n",
    );
    assert!(code.contains("from \"react/jsx-runtime\""), "{code}");
    assert!(!code.contains("<main"), "{code}");
}

#[test]
fn specifiers_are_rewritten_everywhere() {
    let analysis = analyze(
        "m.ts",
        "import './side';\nexport { a } from './a.js';\nexport * from './b';\nexport * as c from 'pkg';\nexport const d = () => import('./d');\nexport const e = import(`./e`);\n",
        false,
    );
    let code = analysis.javascript.unwrap().code;
    for part in [
        "\"m.ts>./side\"",
        "\"m.ts>./a.js\"",
        "\"m.ts>./b\"",
        "'pkg'",
        "import(\"m.ts>./d\")",
    ] {
        assert!(code.contains(part), "{part}:\n{code}");
    }
    let imports: Vec<(&str, ModuleImportKind)> = analysis
        .imports
        .iter()
        .map(|import| (import.specifier.as_str(), import.kind))
        .collect();
    assert_eq!(
        imports,
        [
            ("./side", ModuleImportKind::Static),
            ("./a.js", ModuleImportKind::ReExport),
            ("./b", ModuleImportKind::ReExport),
            ("pkg", ModuleImportKind::ReExport),
            ("./d", ModuleImportKind::Dynamic),
        ]
    );
}

#[test]
fn comments_and_types_do_not_change_the_code() {
    let before = code("m.ts", "// one\nexport const a = 1;\n");
    assert_eq!(
        before,
        code("m.ts", "/* two */ interface X {}\nexport const a: X | 1 = 1;\n")
    );
}

#[test]
fn the_source_map_leads_back() {
    let source =
        "\u{feff}interface X { a: number }\n\n// 😀\nexport const 名 = '😀'; export const f = (x: X) => x.a;\n";
    let javascript = analyze("lunora/m.ts", source, false).javascript.unwrap();
    let map = sourcemap::SourceMap::from_slice(javascript.source_map.unwrap().as_bytes()).unwrap();
    assert_eq!(map.get_source(0), Some("lunora/m.ts"));
    assert_eq!(map.get_source_contents(0), source.strip_prefix('\u{feff}'));
    let line = javascript
        .code
        .lines()
        .position(|line| line.contains("const f"))
        .unwrap();
    let column = javascript.code.lines().nth(line).unwrap().find("x.a").unwrap();
    let token = map
        .lookup_token(u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
        .unwrap();
    let original = source.lines().nth(3).unwrap();
    let expected = original[..original.find("x.a").unwrap()].encode_utf16().count();
    assert_eq!((token.get_src_line(), token.get_src_col() as usize), (3, expected));
}

#[test]
fn strings_keep_what_json_cannot() {
    let code = code("m.ts", "export const a = '\\ud800 \\u2028 \\0 \u{2028}';\n");
    assert!(code.contains("\\ud800") || code.contains("\\uD800"), "{code}");
}

#[test]
fn files_of_javascript_are_left_alone() {
    let code = code("m.js", "import { unused } from './a';\nexport const a = 1;\n");
    assert!(code.contains("unused"), "{code}");
}

#[test]
fn the_cache_parses_what_changed() {
    let text = |path: &str, text: &str| SourceText {
        path: path.into(),
        text: text.into(),
    };
    let mut files = vec![
        text("a.ts", "export const a = 1;"),
        text("b.ts", "import { a } from './a'; export const b = a;"),
    ];
    let mut cache = ParseCache::default();
    let first = cache.update(&files, &AnalyzeOptions::default());
    assert_eq!(cache.last_parsed(), 2);
    let again = cache.update(&files, &AnalyzeOptions::default());
    assert_eq!(cache.last_parsed(), 0);
    assert!(
        first
            .iter()
            .zip(&again)
            .all(|(first, again)| std::sync::Arc::ptr_eq(first, again))
    );

    files[0].text = "export const a = 2;".into();
    let edited = cache.update(&files, &AnalyzeOptions::default());
    assert_eq!(cache.last_parsed(), 1);
    assert!(std::sync::Arc::ptr_eq(&first[1], &edited[1]));
    // The same bytes in a new allocation are no edit.
    files[0].text = String::from("export const a = 2;").into();
    cache.update(&files, &AnalyzeOptions::default());
    assert_eq!(cache.last_parsed(), 0);

    let here = |_: &str, specifier: &str| Some(format!("here/{specifier}"));
    let there = |_: &str, specifier: &str| Some(format!("there/{specifier}"));
    let mut emit = EmitOptions {
        resolution: 0,
        resolve: &here,
        verbatim_module_syntax: false,
        jsx_import_source: "react",
        source_map: false,
    };
    let code = cache.update(&files, &AnalyzeOptions { emit: Some(emit) });
    assert_eq!(cache.last_parsed(), 2);
    assert!(code[1].javascript.as_ref().unwrap().code.contains("here/./a"));
    cache.update(&files, &AnalyzeOptions { emit: Some(emit) });
    assert_eq!(cache.last_parsed(), 0);
    // As long as the resolution is said to be the same, nobody is asked.
    emit.resolve = &there;
    cache.update(&files, &AnalyzeOptions { emit: Some(emit) });
    assert_eq!(cache.last_parsed(), 0);
    // A specifier that leads elsewhere makes new JavaScript of an unchanged file.
    emit.resolution = 1;
    let code = cache.update(&files, &AnalyzeOptions { emit: Some(emit) });
    assert_eq!(cache.last_parsed(), 1);
    assert!(code[1].javascript.as_ref().unwrap().code.contains("there/./a"));
    // Facts alone are satisfied by what is there.
    cache.update(&files[1..], &AnalyzeOptions::default());
    assert_eq!(cache.last_parsed(), 0);
}
