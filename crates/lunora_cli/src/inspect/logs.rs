//! `lunora logs`.

use clap::ValueEnum as _;
use owo_colors::OwoColorize as _;
use serde_json::Value as Json;

use super::arguments::{Level, LogsArguments};
use super::events::{Telling, Wanted, tell};
use super::show::{clock, number, plain, text};
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;

/// A level that is not known is as loud as `log`.
fn level(event: &Json) -> Level {
    Level::from_str(text(event, "level"), false).unwrap_or(Level::Log)
}

fn line(event: &Json, color: bool) -> String {
    let name = format!("{:5}", text(event, "level"));
    let name = match (color, level(event)) {
        (true, Level::Error) => name.red().to_string(),
        (true, Level::Warn) => name.yellow().to_string(),
        _ => name,
    };
    let said = match text(event, "stack") {
        // An engine's stack begins with the error's own text.
        stack if stack.contains(text(event, "text")) && !stack.is_empty() => stack.to_owned(),
        "" => text(event, "text").to_owned(),
        stack => format!("{}\n{stack}", text(event, "text")),
    };
    let said = plain(said.trim_end()).replace('\n', "\n    ");
    let whose = ["functionPath", "object"]
        .into_iter()
        .map(|field| plain(text(event, field)))
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join(" in ");
    let whose = if whose.is_empty() { whose } else { format!("{whose}  ") };
    format!("{}  {name}  {whose}{said}", clock(number(event, "at")))
}

/// Carries the command out.
pub(crate) fn logs(options: &CommandOptions, arguments: &LogsArguments) -> CommandOutcome {
    let wanted = Wanted {
        project: &arguments.project,
        types: &["log"],
        object: None,
        socket: None,
        limit: arguments.limit,
        follow: arguments.follow,
    };
    let telling = Telling {
        documents: &|event| {
            if level(&event) >= arguments.level {
                vec![event]
            } else {
                Vec::new()
            }
        },
        line: &|event| line(event, options.color),
    };
    tell(options, &wanted, &telling)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_when_how_loud_and_who() {
        let event = json!({ "at": 1_795_262_584_123_u64, "level": "warn", "text": "careful\n", "functionPath": "a:b", "object": "__root__" });
        assert_eq!(line(&event, false), "12:03:04.123Z  warn   a:b in __root__  careful");
        assert_eq!(
            line(&json!({ "level": "log", "text": "x" }), false),
            "00:00:00.000Z  log    x"
        );
    }

    #[test]
    fn a_stack_is_below_and_a_terminal_is_left_alone() {
        let event =
            json!({ "level": "error", "text": "Error: \u{1b}[2J", "stack": "Error: \u{1b}[2J\n    at f (a.ts:1)" });
        assert_eq!(
            line(&event, false),
            "00:00:00.000Z  error  Error: \\u{1b}[2J\n        at f (a.ts:1)"
        );
        let event = json!({ "level": "error", "text": "said", "stack": "at f" });
        assert_eq!(line(&event, false), "00:00:00.000Z  error  said\n    at f");
    }

    #[test]
    fn levels_are_in_order() {
        let of = |name: &str| level(&json!({ "level": name }));
        assert!(of("debug") < of("log") && of("log") < of("info") && of("info") < of("warn"));
        assert!(of("warn") < of("error"));
        assert_eq!(of("trace"), Level::Log);
    }
}
