//! What streams, kinds of rooms and queries of all shards bring into the generated files.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use lunora_codegen::{GenerateOptions, Generator, PackagePrefix, Scope, generate};
use lunora_ir::{Address, Application, FanOutMerge, Function, FunctionKind, Presence, Visibility};

fn options() -> GenerateOptions {
    GenerateOptions {
        package_prefix: PackagePrefix::Umbrella,
        directory: "lunora".to_owned(),
        title: "Chat".to_owned(),
    }
}

fn stream() -> Arc<Function> {
    Arc::new(Function {
        path: "answers:words".to_owned(),
        file: "lunora/answers.ts".to_owned(),
        export: "words".to_owned(),
        kind: FunctionKind::Stream,
        visibility: Visibility::Public,
        input: indexmap::IndexMap::new(),
        output: None,
        address: Address::Root,
        tables: Vec::new(),
    })
}

fn room(module: &str, export: &str) -> Arc<Presence> {
    Arc::new(Presence {
        path: format!("{module}:{export}"),
        file: format!("lunora/{module}.ts"),
        export: export.to_owned(),
    })
}

fn text(application: &Application, name: &str) -> Option<String> {
    let files = generate(application, &options()).unwrap();
    files
        .iter()
        .find(|file| file.path == name)
        .map(|file| file.contents.to_string())
}

#[test]
fn a_stream_is_a_reference_and_no_operation() {
    let application = Application {
        functions: vec![stream()],
        ..Application::default()
    };
    let api = text(&application, "api.ts").unwrap();
    assert!(
        api.contains("readonly words: ReferenceOf<typeof answers.words>;"),
        "{api}"
    );
    assert!(
        api.contains("functionReference(\"answers:words\", \"stream\", { kind: \"root\" })"),
        "{api}"
    );
    assert!(
        text(&application, "functions.ts")
            .unwrap()
            .contains("[\"stream\",\"public\"")
    );
    assert!(!text(&application, "openapi.json").unwrap().contains("answers:words"));
    let worker = text(&application, "worker.ts").unwrap();
    assert!(
        worker
            .contains("import { admin, createShardObject, createShardRegistryObject, streams } from \"lunorash/do\";"),
        "{worker}"
    );
    assert!(worker.contains(", streams"), "{worker}");
    assert!(
        !worker.contains("presence") && !worker.contains("SessionDO"),
        "{worker}"
    );
}

#[test]
fn rooms_have_references_for_pages_and_a_registry_for_the_worker() {
    let application = Application {
        presence: vec![room("chat", "room"), room("admin/desk", "room"), room("chat", "call")],
        ..Application::default()
    };
    insta::assert_snapshot!("presence.ts", text(&application, "presence.ts").unwrap());
    insta::assert_snapshot!("rooms.ts", text(&application, "rooms.ts").unwrap());
    let worker = text(&application, "worker.ts").unwrap();
    for line in [
        "import { adminRoutes, createWorker, presenceRoutes } from \"lunorash/runtime\";",
        "import { presence } from \"./rooms.js\";",
        "export class SessionDO extends createSessionObject(definition) {}",
        "export default createWorker(definition, { routes: [...adminRoutes(), ...presenceRoutes()] });",
    ] {
        assert!(worker.contains(line), "{line}\n{worker}");
    }
    assert!(!worker.contains("streams"), "{worker}");
    assert_eq!(text(&Application::default(), "presence.ts"), None);
}

#[test]
fn what_comes_and_goes_changes_the_files_that_say_so() {
    let mut generator = Generator::default();
    let mut worker = |application: &Application| {
        let files = generator.generate(application, &options(), Scope::All).unwrap();
        let names: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
        let worker = files.iter().find(|file| file.path == "worker.ts").unwrap();
        (names.contains(&"presence.ts".to_owned()), worker.contents.to_string())
    };
    let none = Application::default();
    let some = Application {
        functions: vec![stream()],
        presence: vec![room("chat", "room")],
        ..Application::default()
    };
    let before = worker(&none);
    let during = worker(&some);
    assert!(!before.0 && during.0);
    assert!(during.1.contains("streams") && during.1.contains("SessionDO"));
    assert_eq!(worker(&none), before);
}

#[test]
fn what_asks_all_shards_comes_and_goes_with_the_queries_that_do() {
    let mut generator = Generator::default();
    let mut worker = |application: &Application| {
        let files = generator.generate(application, &options(), Scope::All).unwrap();
        let worker = files.iter().find(|file| file.path == "worker.ts").unwrap();
        worker.contents.to_string()
    };
    let everywhere = Function {
        kind: FunctionKind::Query,
        address: Address::FanOut {
            field: "room".to_owned(),
            merge: FanOutMerge::Sum,
        },
        ..Function::clone(&stream())
    };
    let application = |address: Address| Application {
        functions: vec![Arc::new(Function {
            address,
            ..everywhere.clone()
        })],
        ..Application::default()
    };
    let one = worker(&application(Address::Root));
    let all = worker(&application(everywhere.address.clone()));
    assert!(
        all.contains("import { adminRoutes, createWorker, fanOut } from \"lunorash/runtime\";")
            && all.contains("functions, fanOut, app"),
        "{all}"
    );
    assert!(!one.contains("fanOut"), "{one}");
    assert_eq!(worker(&application(Address::Root)), one);
}
