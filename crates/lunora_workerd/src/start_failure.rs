//! What workerd writes before it gives up at start, turned into something to act on.

use lunora_diagnostics::{Diagnostic, codes};

use crate::stack_trace::{StackRemapper, parse_location, remap_location};

/// Lines kept of an output that nothing was recognised in.
const EXCERPT_LINES: usize = 12;

/// The diagnostic for a process that ended before it listened. `lines` are the lines of its error
/// output, `status` is how it ended.
pub(crate) fn start_failure(
    lines: &[String],
    status: &str,
    service_name: &str,
    remapper: Option<&dyn StackRemapper>,
) -> Diagnostic {
    let messages: Vec<String> = lines.iter().map(|line| message_of(line)).collect();
    // workerd reports several errors in a row, the first of which is the cause.
    let found = messages.iter().find_map(|message| {
        let of_service = message.strip_prefix("service ")?;
        Some(without_service(of_service, service_name).unwrap_or(of_service))
    });
    let Some(message) = found else {
        let excerpt: Vec<&str> = messages
            .iter()
            .map(String::as_str)
            .filter(|line| !line.trim().is_empty())
            .collect();
        let excerpt = &excerpt[excerpt.len().saturating_sub(EXCERPT_LINES)..];
        let said = if excerpt.is_empty() {
            "and said nothing".to_owned()
        } else {
            format!("and said: {}", excerpt.join("\n"))
        };
        return Diagnostic::error(
            codes::WORKER_START_FAILED,
            format!("workerd ended at start ({status}) {said}"),
        );
    };
    if let Some(flag) = message.strip_prefix("No such compatibility flag: ") {
        return Diagnostic::error(
            codes::COMPATIBILITY_FLAG_UNKNOWN,
            format!(
                "The installed workerd does not know the compatibility flag `{}`.",
                flag.trim()
            ),
        )
        .with_help("Remove it, correct its spelling, or update the `workerd` package.");
    }
    let message = message.strip_prefix("Uncaught ").unwrap_or(message);
    let mut parts = message.split('\n');
    let headline = parts.next().unwrap_or_default().trim();
    let frames: Vec<String> = parts.map(|line| frame(line, remapper)).collect();
    let mut text = format!("The worker does not start: {}", tidy(headline));
    for line in &frames {
        text.push_str("\n  ");
        text.push_str(line);
    }
    Diagnostic::error(codes::WORKER_START_FAILED, text).with_help(help_for(headline))
}

/// What is said of the service, or of one that is named after it: a region, a disk.
fn without_service<'text>(text: &'text str, service_name: &str) -> Option<&'text str> {
    let rest = text.strip_prefix(service_name)?;
    rest.strip_prefix(": ")
        .or_else(|| Some(rest.strip_prefix(':')?.split_once(": ")?.1))
}

fn message_of(line: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Line {
        message: String,
    }
    serde_json::from_str::<Line>(line).map_or_else(|_| line.to_owned(), |parsed| parsed.message)
}

/// `  at file:///bundle/worker.js:3:5 in go` with its source position.
fn frame(line: &str, remapper: Option<&dyn StackRemapper>) -> String {
    let line = line.trim();
    let Some(rest) = line.strip_prefix("at ") else {
        return line.to_owned();
    };
    let (location, function) = rest
        .split_once(" in ")
        .map_or((rest, None), |(one, two)| (one, Some(two)));
    let shown = remap_location(location, remapper).unwrap_or_else(|| location.to_owned());
    match function {
        Some(function) => format!("at {shown} in {function}"),
        None => format!("at {shown}"),
    }
}

/// Module names without the scheme that the user has never seen.
fn tidy(headline: &str) -> String {
    headline.replace("file:///bundle/", "")
}

fn help_for(headline: &str) -> &'static str {
    if headline.contains("Module not found") || headline.contains("No such module") {
        "Correct the import, or install the package that it names."
    } else if headline.contains("does not provide an export named") {
        "Export that name from the module, or correct the import."
    } else if headline.starts_with("SyntaxError") {
        "Fix the syntax at that place."
    } else {
        "The code at the top level of a module threw: fix it at that place, or move it into a function."
    }
}

/// The module, line and column that a start failure names first, for an overlay.
#[must_use]
pub fn first_location(diagnostic: &Diagnostic) -> Option<(String, u32, u32)> {
    diagnostic.message.lines().skip(1).find_map(|line| {
        let rest = line.trim().strip_prefix("at ")?;
        let location = rest.split_once(" in ").map_or(rest, |(one, _)| one);
        parse_location(location).map(|(module, line, column)| (module.into_owned(), line, column))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(line: &str) -> Diagnostic {
        start_failure(&[line.to_owned()], "exit status: 1", "main", None)
    }

    #[test]
    fn syntax_error_with_place() {
        let diagnostic = failure(
            r#"{"timestamp":"1","level":"error","source":"s","message":"service main: Uncaught SyntaxError: Unexpected number\n  at file:///bundle/_generated/worker.js:2:18","context_depth":0}"#,
        );
        assert_eq!(diagnostic.code, codes::WORKER_START_FAILED);
        assert_eq!(
            diagnostic.message,
            "The worker does not start: SyntaxError: Unexpected number\n  at _generated/worker.js:2:18"
        );
        assert_eq!(
            first_location(&diagnostic),
            Some(("_generated/worker.js".to_owned(), 2, 18))
        );
    }

    #[test]
    fn missing_module() {
        let diagnostic = failure("service main: Uncaught Error: Module not found: file:///bundle/gone.js");
        assert_eq!(
            diagnostic.message,
            "The worker does not start: Error: Module not found: gone.js"
        );
        assert_eq!(first_location(&diagnostic), None);
    }

    #[test]
    fn a_region_fails_as_the_worker_does() {
        let diagnostic =
            failure("service main:eu: Uncaught SyntaxError: Unexpected number\n  at file:///bundle/worker.js:2:18");
        assert_eq!(
            diagnostic.message,
            "The worker does not start: SyntaxError: Unexpected number\n  at worker.js:2:18"
        );
        assert_eq!(first_location(&diagnostic), Some(("worker.js".to_owned(), 2, 18)));
    }

    #[test]
    fn the_first_of_several_is_the_cause() {
        let lines = [
            "service main: No such compatibility flag: nope".to_owned(),
            "service main: x".to_owned(),
        ];
        let diagnostic = start_failure(&lines, "exit status: 1", "main", None);
        assert_eq!(diagnostic.code, codes::COMPATIBILITY_FLAG_UNKNOWN);
        assert!(diagnostic.message.contains("`nope`"));
    }

    #[test]
    fn unknown_output_is_quoted() {
        assert!(
            failure("*** Received signal #11")
                .message
                .contains("*** Received signal #11")
        );
        assert!(
            start_failure(&[], "signal: 9 (SIGKILL)", "main", None)
                .message
                .contains("signal: 9")
        );
    }
}
