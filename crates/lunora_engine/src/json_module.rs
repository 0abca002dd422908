//! JSON files as modules of the worker.

use std::path::Path;

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_parse::SourceText;

/// Whether a module is one.
pub(crate) fn is_json(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// What is wrong with a JSON file that the worker imports.
pub(crate) fn json_error(source: &SourceText) -> Option<Diagnostic> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&source.text).err()?;
    let start: usize = source
        .text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (start + error.column().saturating_sub(1)).min(source.text.len());
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Some(
        Diagnostic::error(codes::SYNTAX_ERROR, format!("{} is not JSON: {error}", source.path))
            .at(source.path.to_string(), Span { start: at, end: at })
            .with_help("Fix it at the marked place; JSON has no comments and no trailing commas."),
    )
}
