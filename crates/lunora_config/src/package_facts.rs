//! What a `package.json` says.

use camino::Utf8Path;
use lunora_diagnostics::{Diagnostic, Span, codes};
use serde_json::{Map, Value};

use crate::file_error::{FileAction, file_diagnostic};

/// The package that re-exports all the others by subpath.
const UMBRELLA: &str = "lunorash";

/// What a `package.json` says, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFacts {
    /// `name`
    pub name: Option<String>,
    /// `lunorash` is among its dependencies of any kind.
    pub depends_on_umbrella: bool,
}

impl PackageFacts {
    /// Reads a `package.json`.
    ///
    /// # Errors
    /// When it cannot be read or is not a JSON object.
    pub(crate) fn read(path: &Utf8Path) -> Result<Self, Diagnostic> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| file_diagnostic(FileAction::Read, path.as_std_path(), &error))?;
        Self::parse(path.file_name().unwrap_or("package.json"), &text)
    }

    fn parse(file: &str, text: &str) -> Result<Self, Diagnostic> {
        // Package managers take a byte order mark; `serde_json` does not.
        let trimmed = text.strip_prefix('\u{feff}').unwrap_or(text);
        let package: Map<String, Value> = serde_json::from_str(trimmed).map_err(|error| {
            let offset = byte_offset(trimmed, error.line(), error.column()) + text.len() - trimmed.len();
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            Diagnostic::error(
                codes::PACKAGE_JSON_INVALID,
                format!("`{file}` is not a JSON object: {error}"),
            )
            .at(
                file,
                Span {
                    start: offset,
                    end: offset,
                },
            )
            .with_help("Correct the JSON; comments and trailing commas are not allowed in this file")
        })?;
        let depends_on_umbrella = [
            "dependencies",
            "devDependencies",
            "optionalDependencies",
            "peerDependencies",
        ]
        .iter()
        .filter_map(|kind| package.get(*kind).and_then(Value::as_object))
        .any(|dependencies| dependencies.contains_key(UMBRELLA));
        Ok(Self {
            name: package.get("name").and_then(Value::as_str).map(str::to_owned),
            depends_on_umbrella,
        })
    }
}

/// The byte that `serde_json` means: its lines start at 1, its columns count bytes from 1.
fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column.saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_diagnostics::codes;

    use super::PackageFacts;

    #[test]
    fn finds_the_umbrella_among_any_dependencies() {
        for kind in [
            "dependencies",
            "devDependencies",
            "peerDependencies",
            "optionalDependencies",
        ] {
            let text = format!("\u{feff}{{\"name\":\"a\",\"{kind}\":{{\"lunorash\":\"*\"}}}}");
            let facts = PackageFacts::parse("package.json", &text).unwrap();
            assert!(facts.depends_on_umbrella, "{kind}");
            assert_eq!(facts.name.as_deref(), Some("a"));
        }
        let facts = PackageFacts::parse("package.json", r#"{"dependencies":{"@lunora/server":"*"}}"#);
        assert_eq!(facts.unwrap(), PackageFacts::default());
    }

    #[test]
    fn a_broken_file_is_shown_at_the_place() {
        let diagnostic = PackageFacts::parse("package.json", "{\n  \"name\": x\n}").unwrap_err();
        assert_eq!(diagnostic.code, codes::PACKAGE_JSON_INVALID);
        let span = diagnostic.labels.first().unwrap().span;
        assert_eq!(span.start, 12);
        for text in ["", "[]", "null", "{"] {
            assert!(PackageFacts::parse("package.json", text).is_err(), "{text}");
        }
    }
}
