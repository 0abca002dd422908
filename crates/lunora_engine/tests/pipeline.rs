//! From files on disk to generated files and worker modules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is a failed test"
)]

use lunora_engine::{Output, Pipeline, Scope, discover};
use lunora_testing::TempProject;

const PACKAGE: &str = r#"{"name":"app","type":"module","dependencies":{"lunorash":"*"}}"#;
const SCHEMA: &str = r#"import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
});
"#;
const NOTES: &str = r#"import { query, mutation, v } from "./_generated/server";
import { shout } from "../shared/shout.js";
export const list = query.query(async ({ ctx }) => ctx.db.query("notes").collect());
export const add = mutation.input({ text: v.string() }).mutation(async ({ ctx, args }) => {
  return ctx.db.insert("notes", { text: shout(args.text) });
});
"#;
const SHOUT: &str = "export const shout = (text: string): string => text.toUpperCase();\n";

fn project() -> TempProject {
    TempProject::new([
        ("package.json", PACKAGE),
        ("lunora/schema.ts", SCHEMA),
        ("lunora/notes.ts", NOTES),
        ("shared/shout.ts", SHOUT),
        // Stands in for the installed package, so that resolution finds one.
        (
            "node_modules/lunorash/package.json",
            r#"{"name":"lunorash","type":"module","exports":{"./*":"./x.js"}}"#,
        ),
        ("node_modules/lunorash/x.js", "export {};"),
    ])
}

fn open(project: &TempProject, output: Output) -> Pipeline {
    Pipeline::open(discover(project.root(), None).unwrap(), output, &[]).unwrap()
}

#[test]
fn writes_the_generated_files_once() {
    let project = project();
    let mut pipeline = open(&project, Output::Codegen);
    let first = pipeline.run(Scope::All).unwrap();
    assert!(first.write.written.contains(&"api.ts".to_owned()), "{:?}", first.write);
    assert_eq!(first.application.functions.len(), 2);
    let again = open(&project, Output::Codegen).run(Scope::All).unwrap();
    assert!(again.write.written.is_empty(), "{:?}", again.write);
}

#[test]
fn collects_the_modules_the_worker_reaches() {
    let project = project();
    let mut pipeline = open(&project, Output::Worker);
    let built = pipeline.run(Scope::All).unwrap();
    let names: Vec<&str> = built.graph.modules.iter().map(|module| &*module.name).collect();
    assert_eq!(names[0], "lunora/_generated/worker.ts");
    assert!(names.contains(&"lunora/notes.ts"), "{names:?}");
    assert!(names.contains(&"shared/shout.ts"), "{names:?}");
    assert_eq!(built.graph.outside.len(), 1);
    assert!(
        built.graph.packages.contains(&"lunorash/runtime".to_owned()),
        "{:?}",
        built.graph.packages
    );
    let notes = built
        .graph
        .modules
        .iter()
        .find(|module| &*module.name == "lunora/notes.ts")
        .unwrap();
    assert!(notes.body.contains("../shared/shout.ts"), "{}", notes.body);
    assert!(!notes.body.contains(": string"), "{}", notes.body);
    assert!(notes.source_map.is_some());
}

#[test]
fn an_edit_changes_one_module() {
    let project = project();
    let mut pipeline = open(&project, Output::Worker);
    let before = pipeline.run(Scope::All).unwrap();
    project.write(
        "shared/shout.ts",
        "export const shout = (text: string): string => `${text}!`;\n",
    );
    let path = project.path("shared/shout.ts");
    assert!(pipeline.concerns(path.as_ref()));
    assert!(pipeline.reread([path.as_ref()]).unwrap());
    let after = pipeline.run(Scope::All).unwrap();
    let differing: Vec<&str> = before
        .graph
        .modules
        .iter()
        .zip(&after.graph.modules)
        .filter(|(left, right)| left.body != right.body)
        .map(|(left, _)| &*left.name)
        .collect();
    assert_eq!(differing, ["shared/shout.ts"]);
    assert!(!pipeline.reread([path.as_ref()]).unwrap(), "the same text is no change");
}

#[test]
fn an_import_that_leads_nowhere_has_a_place() {
    let project = project();
    project.remove("shared/shout.ts");
    let errors = open(&project, Output::Worker).run(Scope::All).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "IMPORT_UNRESOLVED");
    assert_eq!(errors[0].labels[0].file, "lunora/notes.ts");
}

#[test]
fn a_file_that_appears_is_found_by_an_earlier_import() {
    let project = project();
    project.remove("shared/shout.ts");
    let mut pipeline = open(&project, Output::Worker);
    pipeline.run(Scope::All).unwrap_err();
    project.write("shared/shout.ts", SHOUT);
    pipeline.reread_all().unwrap();
    pipeline.run(Scope::All).unwrap();
}

#[test]
fn what_only_a_bundler_can_load_asks_for_one() {
    let project = project();
    project.write("shared/data.txt", "text");
    project.write(
        "shared/shout.ts",
        "import text from './data.txt';\nexport const shout = (_: string): string => text;\n",
    );
    let built = open(&project, Output::Worker).run(Scope::All).unwrap();
    assert!(built.graph.needs_bundle.unwrap().contains("data.txt"));
}

#[test]
fn a_syntax_error_writes_nothing() {
    let project = project();
    let mut pipeline = open(&project, Output::Worker);
    pipeline.run(Scope::All).unwrap();
    let before = project.read("lunora/_generated/api.ts");
    project.write("lunora/notes.ts", "export const broken = ;\n");
    assert!(pipeline.reread([project.path("lunora/notes.ts").as_ref()]).unwrap());
    let errors = pipeline.run(Scope::All).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "SYNTAX_ERROR");
    assert_eq!(project.read("lunora/_generated/api.ts"), before);
    project.write("lunora/notes.ts", NOTES);
    assert!(pipeline.reread([project.path("lunora/notes.ts").as_ref()]).unwrap());
    pipeline.run(Scope::All).unwrap();
}

#[test]
fn no_folder_of_functions_is_a_coded_error() {
    let project = TempProject::new([("package.json", PACKAGE)]);
    let error = discover(project.root(), None).unwrap_err();
    assert!(error.help.unwrap().contains("lunora"), "{}", error.message);
}

#[test]
fn json_is_a_module_of_its_own() {
    let project = project();
    project.write("lunora/data.json", "{ \"a\": 1 }");
    project.write(
        "shared/shout.ts",
        "import data from '../lunora/data.json';\nexport const shout = (_: string): string => String(data.a);\n",
    );
    let built = open(&project, Output::Worker).run(Scope::All).unwrap();
    let module = built.graph.modules.iter().find(|module| module.is_json).unwrap();
    assert_eq!((&*module.name, &*module.body), ("lunora/data.json", "{ \"a\": 1 }"));
    project.write("lunora/data.json", "{\n \"a\": }");
    let errors = open(&project, Output::Worker).run(Scope::All).unwrap_err();
    assert_eq!(errors[0].labels[0].file, "lunora/data.json");
    assert_eq!(errors[0].labels[0].span.start, 8);
}

#[test]
fn the_description_of_the_api_can_wait() {
    let project = project();
    let mut pipeline = open(&project, Output::Codegen);
    pipeline.run(Scope::Modules).unwrap();
    let before = project.read("lunora/_generated/openapi.json");
    project.write(
        "lunora/notes.ts",
        &format!("{NOTES}export const more = query.query(async () => 1);\n"),
    );
    assert!(pipeline.reread([project.path("lunora/notes.ts").as_ref()]).unwrap());
    let built = pipeline.run(Scope::Modules).unwrap();
    assert!(project.read("lunora/_generated/api.ts").contains("more"));
    assert_eq!(project.read("lunora/_generated/openapi.json"), before);
    pipeline.describe(&built.application).unwrap();
    assert!(project.read("lunora/_generated/openapi.json").contains("notes:more"));
}

/// The parts of a large app's references are modules like others.
#[test]
fn an_edit_of_a_large_app_writes_two_parts() {
    let project = project();
    let file = |index: usize, name: &str| {
        format!(
            "import {{ query }} from \"./_generated/server\";\nexport const {name}{index} = query.query(async () => 1);\n"
        )
    };
    for index in 0..150 {
        project.write(&format!("lunora/file{index}.ts"), &file(index, "one"));
    }
    let mut pipeline = open(&project, Output::Worker);
    let built = pipeline.run(Scope::Modules).unwrap();
    let parts = |built: &lunora_engine::Built| -> Vec<String> {
        let modules = built.graph.modules.iter().map(|module| module.name.to_string());
        modules.filter(|name| name.contains("_generated/functions-")).collect()
    };
    assert_eq!(parts(&built).len(), 4, "{:?}", parts(&built));

    project.write("lunora/file7.ts", &file(7, "other"));
    pipeline.reread([project.path("lunora/file7.ts").as_ref()]).unwrap();
    let mut written = pipeline.run(Scope::Modules).unwrap().write.written;
    written.sort();
    let [api, functions] = &written[..] else {
        panic!("{written:?}");
    };
    assert!(
        api.starts_with("api-") && functions.starts_with("functions-"),
        "{written:?}"
    );
    assert!(project.read(&format!("lunora/_generated/{api}")).contains("other7"));

    // Back to where it is not divided: the parts are gone from the disk and from the worker.
    for index in 0..100 {
        project.remove(&format!("lunora/file{index}.ts"));
    }
    pipeline.reread_all().unwrap();
    let built = pipeline.run(Scope::All).unwrap();
    assert_eq!(built.write.removed.len(), 8, "{:?}", built.write.removed);
    assert_eq!(parts(&built), Vec::<String>::new());
    assert!(!project.files().iter().any(|file| file.contains("_generated/api-")));
}

#[test]
fn a_folder_in_place_of_a_source_is_no_source() {
    let project = project();
    let mut pipeline = open(&project, Output::Codegen);
    pipeline.run(Scope::All).unwrap();
    project.remove("lunora/schema.ts");
    std::fs::create_dir(project.path("lunora/schema.ts")).unwrap();
    assert!(pipeline.reread([project.path("lunora/schema.ts").as_ref()]).unwrap());
    let errors = pipeline.run(Scope::All).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "SCHEMA_NOT_FOUND");
}

#[test]
fn advice_comes_with_what_was_built_and_stops_nothing() {
    let project = project();
    let timed = NOTES.replace("shout(args.text)", "`${shout(args.text)} ${Date.now()}`");
    project.write("lunora/notes.ts", &timed);
    let mut pipeline = open(&project, Output::Codegen);
    let built = pipeline.run(Scope::All).unwrap();
    let codes: Vec<&str> = built.diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["NOT_DETERMINISTIC"]);
    assert_eq!(built.diagnostics[0].labels[0].file, "lunora/notes.ts");
    // Mended in the editor, it is gone.
    project.write("lunora/notes.ts", &timed.replace("Date.now()", "ctx.now"));
    pipeline.reread_all().unwrap();
    assert_eq!(pipeline.run(Scope::All).unwrap().diagnostics, []);
}

#[test]
fn advice_follows_a_helper_that_is_edited() {
    let project = project();
    project.write(
        "lunora/notes.ts",
        &NOTES.replace("../shared/shout.js", "./lib/shout.js"),
    );
    project.write("lunora/lib/shout.ts", SHOUT);
    let mut pipeline = open(&project, Output::Codegen);
    assert_eq!(pipeline.run(Scope::All).unwrap().diagnostics, []);
    project.write(
        "lunora/lib/shout.ts",
        "export const shout = (text: string): string => text + Math.random();\n",
    );
    pipeline.reread_all().unwrap();
    let built = pipeline.run(Scope::All).unwrap();
    assert_eq!(built.diagnostics.len(), 1, "{:?}", built.diagnostics);
    assert_eq!(built.diagnostics[0].labels[0].file, "lunora/lib/shout.ts");
}

#[test]
fn going_around_a_declared_jurisdiction_stops_the_build() {
    let project = project();
    project.write(
        "lunora/app.ts",
        "export default { fetch: (request: Request, env: any) => env.SHARD.getByName(\"x\").fetch(request) };",
    );
    let built = open(&project, Output::Codegen).run(Scope::All).unwrap();
    assert_eq!(built.diagnostics[0].code.as_str(), "NAMESPACE_BYPASSED");
    project.write(
        "lunora/schema.ts",
        &SCHEMA.replace("});\n", "}).jurisdiction(\"eu\");\n"),
    );
    let errors = open(&project, Output::Codegen).run(Scope::All).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "NAMESPACE_BYPASSED");
}
