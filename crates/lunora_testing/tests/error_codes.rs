//! Every code of the table is explained, and used somewhere.

#![allow(clippy::unwrap_used)]

mod workspace;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

fn table() -> Map<String, Value> {
    let path = workspace::root().join("crates/lunora_diagnostics/codes.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The words of a source that look like codes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
}

#[test]
fn every_code_is_explained() {
    for (code, entry) in table() {
        let is_code_character =
            |character: char| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_';
        assert!(code.chars().all(is_code_character), "{code} is not in upper case");
        for part in ["explanation", "help"] {
            let text = entry[part].as_str().unwrap_or_default();
            assert!(
                text.contains(' ') && text.ends_with('.'),
                "{code}: `{part}` is not a sentence: {text:?}"
            );
        }
        let known = ["explanation", "help", "status"];
        for key in entry.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{code} has an unknown part {key}");
        }
        if let Some(status) = entry.get("status") {
            assert!(
                status.as_u64().is_some_and(|status| (400..600).contains(&status)),
                "{code}: {status} is no status of an error"
            );
        }
    }
}

#[test]
fn every_code_is_used() {
    let root = workspace::root();
    let mut unused: BTreeSet<String> = table().keys().cloned().collect();
    let mut look = |text: &str| {
        for word in words(text) {
            unused.remove(word);
        }
    };
    for file in workspace::sources(&root.join("crates"), ".rs") {
        let is_test = file.components().any(|part| part.as_os_str() == "tests");
        if !is_test {
            look(&std::fs::read_to_string(file).unwrap());
        }
    }
    for package in std::fs::read_dir(root.join("npm")).unwrap() {
        let source = package.unwrap().path().join("src");
        if !source.is_dir() {
            continue;
        }
        for file in workspace::sources(&source, ".ts") {
            let is_test = file.to_string_lossy().ends_with(".test.ts");
            // Made from the table itself.
            let is_table = file.ends_with("errors/src/codes.ts");
            if !is_test && !is_table {
                look(&std::fs::read_to_string(file).unwrap());
            }
        }
    }
    assert_eq!(unused, BTreeSet::new(), "codes that nothing reports");
}
