//! What the wrangler configuration says about how the worker runs.

use std::collections::BTreeMap;

use camino::Utf8Path;
use jsonc_parser::ParseOptions;
use lunora_diagnostics::{Diagnostic, Span, codes};
use serde_json::Value;

use crate::{FileAction, file_diagnostic, find_wrangler_config};

/// The compatibility date of an app that names none.
pub const DEFAULT_COMPATIBILITY_DATE: &str = "2026-11-01";

/// The oldest compatibility date the worker runs with: calls between Workers and Durable Objects are on by
/// default from then.
pub const MINIMUM_COMPATIBILITY_DATE: &str = "2024-04-03";

/// How the worker runs, as far as its configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct WranglerSettings {
    /// `compatibility_date`, or [`DEFAULT_COMPATIBILITY_DATE`].
    pub compatibility_date: String,
    /// `compatibility_flags`
    pub compatibility_flags: Vec<String>,
    /// `vars`: text or JSON by name.
    pub variables: BTreeMap<String, Value>,
}

impl Default for WranglerSettings {
    fn default() -> Self {
        Self {
            compatibility_date: DEFAULT_COMPATIBILITY_DATE.to_owned(),
            compatibility_flags: Vec::new(),
            variables: BTreeMap::new(),
        }
    }
}

fn wrong_shape(file: &str, key: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(codes::WRANGLER_SHAPE, format!("`{key}` in `{file}` is not {wanted}"))
        .with_help(format!("Write it as {wanted}, as wrangler's documentation has it."))
}

fn settings_of(file: &str, document: &Value) -> Result<WranglerSettings, Diagnostic> {
    let mut settings = WranglerSettings::default();
    if let Some(date) = document.get("compatibility_date") {
        settings.compatibility_date = date
            .as_str()
            .ok_or_else(|| wrong_shape(file, "compatibility_date", "a text"))?
            .to_owned();
    }
    if let Some(flags) = document.get("compatibility_flags") {
        let shape = || wrong_shape(file, "compatibility_flags", "an array of texts");
        settings.compatibility_flags = flags
            .as_array()
            .ok_or_else(shape)?
            .iter()
            .map(|flag| flag.as_str().map(str::to_owned).ok_or_else(shape))
            .collect::<Result<_, _>>()?;
    }
    if let Some(variables) = document.get("vars") {
        settings.variables = variables
            .as_object()
            .ok_or_else(|| wrong_shape(file, "vars", "an object"))?
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
    }
    Ok(settings)
}

/// Reads the settings; an app without a wrangler configuration has the defaults.
///
/// # Errors
/// When the configuration is there and cannot be read or understood.
pub fn read_wrangler(root: &Utf8Path) -> Result<WranglerSettings, Diagnostic> {
    let Some(path) = find_wrangler_config(root)? else {
        return Ok(WranglerSettings::default());
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| file_diagnostic(FileAction::Read, path.as_std_path(), &error))?;
    let file = path.file_name().unwrap_or("wrangler.jsonc");
    let document: Value = jsonc_parser::parse_to_serde_value(&text, &ParseOptions::default()).map_err(|error| {
        let range = error.range();
        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Diagnostic::error(
            codes::WRANGLER_SYNTAX,
            format!("`{file}` does not parse: {}", error.kind()),
        )
        .at(
            file,
            Span {
                start: narrow(range.start),
                end: narrow(range.end),
            },
        )
        .with_help("Fix the syntax at the marked place.")
    })?;
    settings_of(file, &document)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn read(text: &str) -> Result<WranglerSettings, Diagnostic> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wrangler.jsonc"), text).unwrap();
        read_wrangler(Utf8Path::from_path(folder.path()).unwrap())
    }

    #[test]
    fn reads_what_is_there() {
        let settings = read(
            "{ // mine\n\"compatibility_date\": \"2026-05-01\", \"compatibility_flags\": [\"a\"], \"vars\": {\"X\": \"1\", \"Y\": {\"z\": 2}}, }",
        )
        .unwrap();
        assert_eq!(settings.compatibility_date, "2026-05-01");
        assert_eq!(settings.compatibility_flags, ["a"]);
        assert_eq!(settings.variables["X"], "1");
        assert_eq!(settings.variables["Y"]["z"], 2);
    }

    #[test]
    fn has_defaults_without_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let settings = read_wrangler(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        assert_eq!(settings, WranglerSettings::default());
    }

    #[test]
    fn names_what_has_the_wrong_shape() {
        let error = read("{\"vars\": []}").unwrap_err();
        assert!(error.message.contains("`vars`"), "{}", error.message);
        let error = read("{\"compatibility_flags\": [1]}").unwrap_err();
        assert!(error.message.contains("`compatibility_flags`"), "{}", error.message);
    }

    #[test]
    fn says_where_the_syntax_is_wrong() {
        let error = read("{\"vars\": ").unwrap_err();
        assert_eq!(error.code, codes::WRANGLER_SYNTAX);
        assert_eq!(error.labels[0].file, "wrangler.jsonc");
    }
}
