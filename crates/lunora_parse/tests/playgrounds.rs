//! The playgrounds of the repository are apps in which nothing is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;

#[test]
fn playgrounds_are_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playground");
    let mut seen = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path().join("lunora");
        if !folder.is_dir() {
            continue;
        }
        seen += 1;
        let files: Vec<(String, String)> = support::read_folder(&folder)
            .into_iter()
            .filter(|(path, _)| path.ends_with(".ts") || path.ends_with(".tsx"))
            .map(|(path, text)| (format!("lunora/{path}"), text))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let linked = support::link(&files);
        assert!(
            !linked.assert_sound().application.functions.is_empty(),
            "{}",
            folder.display()
        );
    }
    assert!(seen >= 2);
}
