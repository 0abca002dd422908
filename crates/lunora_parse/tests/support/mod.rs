//! Apps for tests, from texts or from fixture folders.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, RenderOptions, SourceFiles, render_text};
use lunora_ir::{Address, Application, Function};
use lunora_parse::{AnalyzeOptions, ProjectFiles, analyze_file, build_application};

/// An app that was linked.
pub struct Linked {
    pub application: Application,
    pub diagnostics: Vec<Diagnostic>,
    pub sources: SourceFiles,
}

impl Linked {
    pub fn codes(&self) -> Vec<&'static str> {
        self.diagnostics
            .iter()
            .map(|diagnostic| diagnostic.code.as_str())
            .collect()
    }

    pub fn rendered(&self) -> String {
        let options = RenderOptions {
            color: false,
            unicode: false,
            width: 120,
        };
        self.diagnostics
            .iter()
            .map(|diagnostic| render_text(diagnostic, &self.sources, &options))
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub fn function(&self, path: &str) -> &Function {
        self.application
            .functions
            .iter()
            .find(|function| function.path == path)
            .unwrap_or_else(|| panic!("no function `{path}`:\n{}", self.rendered()))
    }

    pub fn address(&self, path: &str) -> &Address {
        &self.function(path).address
    }

    pub fn assert_sound(&self) -> &Self {
        assert!(self.diagnostics.is_empty(), "{}", self.rendered());
        self
    }

    /// The text under the first label of the only diagnostic, and the diagnostic's text.
    pub fn only(&self, code: &str) -> (&Diagnostic, String) {
        assert_eq!(self.codes(), [code], "{}", self.rendered());
        let diagnostic = &self.diagnostics[0];
        let label = &diagnostic.labels[0];
        let file = lunora_diagnostics::Sources::source(&self.sources, &label.file).unwrap();
        let text = file.text()[label.span.start as usize..label.span.end as usize].to_owned();
        assert!(diagnostic.help.is_some(), "every error says what unblocks it");
        (diagnostic, text)
    }
}

pub fn link(files: &[(&str, &str)]) -> Linked {
    let mut sources = SourceFiles::default();
    let files = files
        .iter()
        .map(|(path, text)| {
            sources.insert(*path, *text);
            Arc::new(analyze_file(path, text, &AnalyzeOptions::default()))
        })
        .collect();
    let project = ProjectFiles {
        directory: "lunora".to_owned(),
        files,
    };
    let (application, diagnostics) = build_application(&project);
    Linked {
        application,
        diagnostics,
        sources,
    }
}

/// Reads every file below a folder, by path relative to it, sorted.
pub fn read_folder(folder: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((relative, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(folder, folder, &mut files);
    files.sort();
    files
}

/// The application as JSON and the diagnostics as text, for a snapshot.
pub fn summary(linked: &Linked) -> String {
    let mut text = serde_json::to_string_pretty(&linked.application).unwrap();
    let _ = write!(
        text,
        "\n\n{}",
        if linked.diagnostics.is_empty() {
            "no diagnostics".to_owned()
        } else {
            linked.rendered()
        }
    );
    text
}
