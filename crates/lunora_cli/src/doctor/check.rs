//! One thing that was looked at.

use std::fmt::Write as _;

use lunora_diagnostics::Diagnostic;
use owo_colors::OwoColorize as _;
use serde::Serialize;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    /// As it has to be.
    Ok,
    /// It works, but not all of it or not for long.
    Warning,
    /// Something does not run.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What.
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// What to do; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Ok,
            detail: detail.into(),
            help: None,
        }
    }

    pub(super) fn warning(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            help: Some(help.into()),
            ..Self::ok(name, detail)
        }
    }

    pub(super) fn error(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            state: State::Error,
            ..Self::warning(name, detail, help)
        }
    }

    /// What a finding says, with its code.
    pub(super) fn of_diagnostic(name: &'static str, state: State, diagnostic: &Diagnostic) -> Self {
        Self {
            name,
            state,
            detail: format!("{}: {}", diagnostic.code.as_str(), diagnostic.message),
            help: diagnostic.help.clone(),
        }
    }
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A line for each, and what to do below its own.
pub(super) fn text(checks: &[Check], color: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let mark = match (check.state, color) {
            (State::Ok, true) => "✓".green().to_string(),
            (State::Warning, true) => "!".yellow().to_string(),
            (State::Error, true) => "✗".red().to_string(),
            (State::Ok, false) => "✓".to_owned(),
            (State::Warning, false) => "!".to_owned(),
            (State::Error, false) => "✗".to_owned(),
        };
        let _ = writeln!(text, "{mark} {:width$}  {}", check.name, check.detail);
        if let Some(help) = &check.help {
            let _ = writeln!(text, "  {:width$}  help: {help}", "");
        }
    }
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let _ = match (count(State::Error), count(State::Warning)) {
        (0, 0) => writeln!(text, "all is well"),
        (errors, warnings) => writeln!(
            text,
            "{errors} error{}, {warnings} warning{}",
            plural(errors),
            plural(warnings)
        ),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_and_what_to_do() {
        let checks = [
            Check::ok("node", "20.20.2"),
            Check::warning("wrangler", "not installed", "Install it."),
            Check::error("workerd", "not found", "Install it."),
        ];
        assert_eq!(
            text(&checks, false),
            "✓ node      20.20.2\n! wrangler  not installed\n            help: Install it.\n\
             ✗ workerd   not found\n            help: Install it.\n1 error, 1 warning\n"
        );
        assert!(text(&checks[..1], false).ends_with("all is well\n"));
    }
}
