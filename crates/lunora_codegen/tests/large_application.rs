//! What an application of many files becomes: its references and registry are divided.

#![allow(clippy::unwrap_used)]

mod sample;

use std::sync::Arc;

use lunora_codegen::{GenerateOptions, GeneratedFile, Generator, PackagePrefix, Scope, generate};
use lunora_diagnostics::codes;
use lunora_ir::{Address, Application, Function, FunctionKind, Visibility};

fn options() -> GenerateOptions {
    GenerateOptions {
        package_prefix: PackagePrefix::Umbrella,
        directory: "lunora".to_owned(),
        title: "Large".to_owned(),
    }
}

fn plain(file: &str, export: &str) -> Function {
    sample::function(file, export, FunctionKind::Query, [], Address::Root)
}

/// Some files, among them one in a folder, one that is a folder too, and one for the server alone.
fn large(files: usize) -> Application {
    let mut functions: Vec<Function> = (0..files)
        .flat_map(|index| ["list", "get"].map(|export| plain(&format!("lunora/file{index:03}.ts"), export)))
        .collect();
    functions.push(plain("lunora/admin/users.ts", "ban"));
    functions.push(plain("lunora/file007/more.ts", "list"));
    functions.push(Function {
        visibility: Visibility::Internal,
        ..plain("lunora/jobs.ts", "clean")
    });
    Application {
        functions: functions.into_iter().map(Arc::new).collect(),
        ..Application::default()
    }
}

fn text<'f>(files: &'f [GeneratedFile], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap().contents
}

/// Files of which one set has another allocation than the other, or which only one has.
fn differing(before: &[GeneratedFile], after: &[GeneratedFile]) -> Vec<String> {
    let is_in = |file: &GeneratedFile, files: &[GeneratedFile]| {
        files
            .iter()
            .any(|other| other.path == file.path && Arc::ptr_eq(&other.contents, &file.contents))
    };
    let gone = before.iter().filter(|file| !is_in(file, after));
    let mut names: Vec<String> = gone
        .chain(after.iter().filter(|file| !is_in(file, before)))
        .map(|file| file.path.to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn parts_are_put_together() {
    let files = generate(&large(130), &options()).unwrap();
    for path in ["api.ts", "functions.ts", "api-01.ts", "functions-01.ts"] {
        insta::assert_snapshot!(format!("large_{path}"), text(&files, path));
    }
}

#[test]
fn shapes_are_in_the_references_and_beside_the_registry() {
    let mut application = large(200);
    let mut generator = Generator::default();
    let before = generator.generate(&application, &options(), Scope::Modules).unwrap();
    application.shapes = sample::rich().shapes;
    let after = generator.generate(&application, &options(), Scope::Modules).unwrap();
    assert_eq!(differing(&before, &after), ["api.ts", "shapes.ts", "worker.ts"]);
    let api = text(&after, "api.ts");
    assert!(api.contains("import type * as shapes from \"../shapes.js\";"), "{api}");
    assert!(
        api.contains("readonly members: ShapeReferenceOf<typeof shapes.members>;"),
        "{api}"
    );
    assert!(
        api.contains("members: shapeReference(\"members\", \"users\", { kind: \"root\" }),"),
        "{api}"
    );
    // Functions beside them, in a file of the same name.
    application.functions.push(Arc::new(plain("lunora/shapes.ts", "count")));
    let beside = generator.generate(&application, &options(), Scope::All).unwrap();
    let api = text(&beside, "api.ts");
    assert!(api.contains("[\"shapes\"] & {\n    readonly __proto__:"), "{api}");
    assert_eq!(beside, generate(&application, &options()).unwrap());
    application
        .functions
        .push(Arc::new(plain("lunora/shapes/members.ts", "list")));
    let errors = generator.generate(&application, &options(), Scope::All).unwrap_err();
    assert_eq!(errors[0].code, codes::FUNCTION_PATH_COLLISION);
    application.functions.truncate(application.functions.len() - 2);
    application.shapes.clear();
    assert_eq!(
        generator.generate(&application, &options(), Scope::All).unwrap(),
        generate(&application, &options()).unwrap()
    );
}

#[test]
fn every_function_is_in_one_part() {
    let application = large(500);
    let files = generate(&application, &options()).unwrap();
    let all = |prefix: &str| {
        files
            .iter()
            .filter(|file| file.path.starts_with(prefix))
            .map(|file| &*file.contents)
            .collect::<String>()
    };
    let (references, registry) = (all("api"), all("functions"));
    for function in &application.functions {
        let quoted = format!("\"{}\"", function.path);
        assert_eq!(references.matches(&format!("({quoted}, ")).count(), 1, "{quoted}");
        let (file, export) = function.path.split_once(':').unwrap();
        let mut lines = registry
            .lines()
            .filter(|line| line.starts_with(&format!("  \"{file}\": [")));
        assert!(
            lines
                .next()
                .is_some_and(|line| line.contains(&format!("\"{export}\":["))),
            "{quoted}"
        );
        assert_eq!(lines.next(), None, "{quoted}");
    }
}

#[test]
fn an_edit_makes_the_parts_of_its_file_again() {
    type Edit = fn(&mut Application);
    let edits: [(Edit, &[&str]); 6] = [
        (|_| {}, &[]),
        (
            |application| application.functions[8] = Arc::new(plain("lunora/file004.ts", "list")),
            &[],
        ),
        (
            |application| {
                let edited = FunctionKind::Mutation;
                application.functions[8] =
                    Arc::new(sample::function("lunora/file004.ts", "list", edited, [], Address::Root));
            },
            &["api-PART.ts", "functions-PART.ts"],
        ),
        (
            |application| {
                application.functions.remove(8);
            },
            &["api-PART.ts", "functions-PART.ts"],
        ),
        // The last function of its file: `api.ts` has one place less.
        (
            |application| {
                application.functions.drain(8..10);
            },
            &["api-PART.ts", "api.ts", "functions-PART.ts"],
        ),
        (
            |application| application.functions.truncate(100),
            &["every part", "api.ts", "functions.ts"],
        ),
    ];
    for (position, (edit, expected)) in edits.into_iter().enumerate() {
        let mut application = large(200);
        let mut generator = Generator::default();
        let before = generator.generate(&application, &options(), Scope::Modules).unwrap();
        edit(&mut application);
        let after = generator.generate(&application, &options(), Scope::Modules).unwrap();
        let part = before
            .iter()
            .find(|file| file.path.starts_with("api-") && file.contents.contains("\"file004:list\""))
            .and_then(|file| file.path.strip_prefix("api-")?.strip_suffix(".ts"))
            .unwrap();
        let mut expected: Vec<String> = expected.iter().map(|name| name.replace("PART", part)).collect();
        if let Some(every) = expected.iter().position(|name| name == "every part") {
            expected.remove(every);
            let parts = before.iter().filter(|file| file.path.contains('-'));
            expected.extend(parts.map(|file| file.path.to_string()));
        }
        expected.sort();
        assert_eq!(differing(&before, &after), expected, "edit {position}");
        let after = generator.generate(&application, &options(), Scope::All).unwrap();
        assert_eq!(after, generate(&application, &options()).unwrap(), "edit {position}");
    }
}

#[test]
fn places_that_are_taken_are_refused_across_parts() {
    for (file, export) in [
        ("lunora/file007.ts", "more"),
        ("lunora/admin.ts", "users"),
        ("lunora/file007.mts", "list"),
    ] {
        let mut application = large(200);
        let mut generator = Generator::default();
        generator.generate(&application, &options(), Scope::All).unwrap();
        application.functions.push(Arc::new(plain(file, export)));
        for errors in [
            generate(&application, &options()).unwrap_err(),
            generator.generate(&application, &options(), Scope::All).unwrap_err(),
        ] {
            assert_eq!(errors.len(), 1, "{file} {export}: {errors:?}");
            assert_eq!(errors[0].code, codes::FUNCTION_PATH_COLLISION);
        }
    }
}

#[test]
fn other_visibilities_do_not_collide() {
    let mut application = large(200);
    application.functions.push(Arc::new(Function {
        visibility: Visibility::Internal,
        ..plain("lunora/file007.ts", "more")
    }));
    generate(&application, &options()).unwrap();
}
