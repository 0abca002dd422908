//! What an application with a bit of everything becomes.

#![allow(clippy::unwrap_used)]

mod sample;

use lunora_codegen::{GenerateOptions, PackagePrefix, generate};
use lunora_ir::Application;

fn options(package_prefix: PackagePrefix) -> GenerateOptions {
    GenerateOptions {
        package_prefix,
        directory: "lunora".to_owned(),
        title: "Chat".to_owned(),
    }
}

#[test]
fn a_bit_of_everything() {
    for file in generate(&sample::rich(), &options(PackagePrefix::Umbrella)).unwrap() {
        insta::assert_snapshot!(format!("rich_{}", file.path), file.contents);
    }
}

#[test]
fn nothing_at_all() {
    for file in generate(&Application::default(), &options(PackagePrefix::Scoped)).unwrap() {
        insta::assert_snapshot!(format!("empty_{}", file.path), file.contents);
    }
}

#[test]
fn the_openapi_document_is_json() {
    for application in [sample::rich(), Application::default()] {
        let files = generate(&application, &options(PackagePrefix::Umbrella)).unwrap();
        let openapi = files.iter().find(|file| file.path == "openapi.json").unwrap();
        let document: serde_json::Value = serde_json::from_str(&openapi.contents).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        check_references(&document, &document);
    }
}

/// Every `$ref` leads somewhere.
fn check_references(document: &serde_json::Value, value: &serde_json::Value) {
    if let Some(reference) = value.get("$ref").and_then(serde_json::Value::as_str) {
        assert!(
            document.pointer(reference.strip_prefix('#').unwrap()).is_some(),
            "{reference}"
        );
    }
    match value {
        serde_json::Value::Object(fields) => fields.values().for_each(|value| check_references(document, value)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}
