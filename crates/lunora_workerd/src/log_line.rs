//! Lines that workerd writes with `structuredLogging` and `--verbose`.
//!
//! `--verbose` is what carries the stacks of uncaught exceptions, from every place that one can escape
//! from (handlers, `waitUntil`, alarms, Durable Object calls). A tail worker carries them as well, but
//! is one more isolate to start at every reload and one more event for every request.

use serde::Deserialize;

use crate::event::{LogEvent, LogLevel, LogSource};
use crate::stack_trace::{StackRemapper, remap_stack};

/// How workerd begins what it says of an exception that left the worker's code.
const ESCAPED: &str = "uncaught exception; source = ";
/// How the same exception is told again, by the parts of workerd that it passes on its way out.
const TOLD_AGAIN: [&str; 2] = ["uncaught exception; exception = ", "Uncaught exception: "];
/// Two reports this close (in milliseconds) may be of one exception.
const ECHO_LIMIT: u64 = 50;

/// One line, as JSON. Console output has a number as timestamp, workerd's own messages a string and
/// the place in its source.
#[derive(Deserialize)]
struct Line {
    timestamp: serde_json::Value,
    level: String,
    message: String,
    source: Option<String>,
}

/// The event in `line`; a line that is no JSON is workerd's own text. `None` for what workerd tells only
/// those who work on it.
pub(crate) fn parse_log_line(
    line: &str,
    generation: u64,
    now: u64,
    remapper: Option<&dyn StackRemapper>,
) -> Option<LogEvent> {
    let event = |level, message: &str, timestamp, source| LogEvent {
        generation,
        level,
        message: remap_stack(message, remapper),
        timestamp,
        source,
    };
    let Ok(parsed) = serde_json::from_str::<Line>(line) else {
        return Some(event(LogLevel::Warn, line, now, LogSource::Runtime));
    };
    let timestamp = match &parsed.timestamp {
        serde_json::Value::Number(number) => number.as_u64().unwrap_or(now),
        serde_json::Value::String(text) => text.parse().unwrap_or(now),
        _ => now,
    };
    let level = level(&parsed.level);
    if parsed.source.is_none() {
        return Some(event(level, &parsed.message, timestamp, LogSource::Console));
    }
    if let Some(exception) = escaped_exception(&parsed.message) {
        let message = format!("Uncaught {exception}");
        return Some(event(LogLevel::Error, &message, timestamp, LogSource::Exception));
    }
    let known = TOLD_AGAIN.iter().any(|start| parsed.message.starts_with(start));
    (!known && level > LogLevel::Info).then(|| event(level, &parsed.message, timestamp, LogSource::Runtime))
}

/// `Error: deep boom` and its frames, or the text of what was thrown when that was no error.
fn escaped_exception(message: &str) -> Option<&str> {
    let rest = message.strip_prefix(ESCAPED)?;
    let (_, exception) = rest
        .split_once("; stack = ")
        .or_else(|| rest.split_once("; exception = "))?;
    Some(exception)
}

/// Recognises an exception that is reported again by the caller it passed through.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    last: Option<(String, u64)>,
}

impl Echo {
    /// Whether `event` adds nothing to the exception before it: the same text, moments later, and at
    /// most the lines that waited for the call.
    pub(crate) fn repeats(&mut self, event: &LogEvent) -> bool {
        if event.source != LogSource::Exception {
            return false;
        }
        let (headline, frames) = event
            .message
            .split_once("\n    at ")
            .map_or((&*event.message, None), |(one, two)| (one, Some(two)));
        let only_waited =
            frames.is_none_or(|frames| frames.split("\n    at ").all(|frame| frame.starts_with("async ")));
        let same = self
            .last
            .as_ref()
            .is_some_and(|(before, time)| before == headline && event.timestamp.saturating_sub(*time) <= ECHO_LIMIT);
        self.last = Some((headline.to_owned(), event.timestamp));
        same && only_waited
    }
}

fn level(text: &str) -> LogLevel {
    match text {
        "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "warn" | "warning" => LogLevel::Warn,
        "error" | "fatal" => LogLevel::Error,
        _ => LogLevel::Log,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn console_output() {
        let line = r#"{"timestamp":1795263214384,"level":"log","message":"hello { a: 1 }"}"#;
        assert_eq!(
            parse_log_line(line, 3, 0, None).unwrap(),
            LogEvent {
                generation: 3,
                level: LogLevel::Log,
                message: "hello { a: 1 }".to_owned(),
                timestamp: 1_795_263_214_384,
                source: LogSource::Console,
            }
        );
    }

    #[test]
    fn an_exception_is_told_once_with_its_stack() {
        let lines = [
            r#"{"timestamp":"1795266328095","level":"info","source":"workerd/io/worker.c++:3042","message":"uncaught exception; source = Uncaught (in promise); stack = Error: deep; stack = boom\n    at Object.fetch (file:///bundle/worker.js:5:31)","context_depth":0}"#,
            r#"{"timestamp":"1795266328095","level":"info","source":"workerd/io/worker.c++:3042","message":"uncaught exception; source = Uncaught (in promise); stack = Error: deep; stack = boom\n    at async Object.fetch (file:///bundle/worker.js:9:1)","context_depth":0}"#,
            r#"{"timestamp":"1795266328095","level":"info","source":"workerd/io/io-context.c++:656","message":"uncaught exception; exception = workerd/jsg/value.h:1456: failed: jsg.Error: deep; stack = boom\nstack: workerd@3f68b70","context_depth":0}"#,
            r#"{"timestamp":"1795266328096","level":"error","source":"workerd/server/server/listen/mod.rs:372","message":"Uncaught exception: workerd/jsg/value.h:1456: failed: remote.jsg.Error: deep","context_depth":0}"#,
        ];
        let mut echo = Echo::default();
        let told: Vec<LogEvent> = lines
            .iter()
            .filter_map(|line| parse_log_line(line, 1, 0, None))
            .filter(|event| !echo.repeats(event))
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            told[0].message,
            "Uncaught Error: deep; stack = boom\n    at Object.fetch (worker.js:5:31)"
        );
        assert_eq!((told[0].source, told[0].level), (LogSource::Exception, LogLevel::Error));
    }

    #[test]
    fn the_same_exception_later_or_from_elsewhere_is_told_again() {
        let mut echo = Echo::default();
        let mut repeats = |message: &str, timestamp| {
            echo.repeats(&LogEvent {
                generation: 1,
                level: LogLevel::Error,
                message: message.to_owned(),
                timestamp,
                source: LogSource::Exception,
            })
        };
        assert!(!repeats("Uncaught Error: a\n    at f (a.js:1:1)", 0));
        assert!(!repeats("Uncaught Error: a\n    at f (a.js:1:1)", 1));
        assert!(repeats("Uncaught Error: a", 2));
        assert!(!repeats("Uncaught Error: a", 100));
        assert!(!repeats("Uncaught Error: b", 101));
    }

    #[test]
    fn what_workerd_warns_of_is_kept_and_its_chatter_is_not() {
        let line = |level: &str| format!(r#"{{"timestamp":"1","level":"{level}","source":"s","message":"m"}}"#);
        assert_eq!(
            parse_log_line(&line("warn"), 1, 0, None).unwrap().source,
            LogSource::Runtime
        );
        assert_eq!(parse_log_line(&line("info"), 1, 0, None), None);
    }

    #[test]
    fn lines_that_are_no_json_stay_readable() {
        for line in ["*** Fatal uncaught kj::Exception: x", "{", "[1]", "{\"level\":1}"] {
            let event = parse_log_line(line, 1, 42, None).unwrap();
            assert_eq!((event.message.as_str(), event.timestamp), (line, 42));
        }
    }
}
