//! When the parser itself gives up: caught, kept off the terminal, and put at a place.
//!
//! The parser asserts on some broken texts, such as an unclosed parameter list of an async arrow function,
//! which is what a file looks like while somebody is typing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use lunora_diagnostics::{Diagnostic, Span, codes};

use crate::position::Positions;
use crate::syntax;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes its text, and nothing of it reaches standard error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET_HOOK: Once = Once::new();
    QUIET_HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                previous(info);
            }
        }));
    });
    let before = CATCHING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    outcome.map_err(|panic| {
        panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown cause".to_owned())
    })
}

/// The diagnostic for a text on which the parser gave up for `reason`.
pub(crate) fn parser_failed(path: &str, source: &str, reason: &str) -> Diagnostic {
    Diagnostic::error(
        codes::PARSER_FAILED,
        format!(
            "{path} does not parse: the parser gave up near the marked line ({})",
            reason.replace('\n', " ")
        ),
    )
    .at(path, failing_line(path, source))
    .with_help("Look for a bracket that is not closed at or before the marked line.")
}

/// The first line with which the text, up to and with that line, makes the parser give up.
fn failing_line(path: &str, source: &str) -> Span {
    let ends: Vec<usize> = source
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .chain(std::iter::once(source.len()))
        .collect();
    let gives_up = |line: usize| {
        let text = &source[..ends[line]];
        caught(|| syntax::parse(path, Positions::new(text))).is_err()
    };
    // The whole text does. A shorter one need not, once a longer one does, but the border between a line that
    // does not and a next one that does is a good place to look, whichever of several it is.
    let (mut low, mut high) = (0, ends.len() - 1);
    while low < high {
        let middle = low.midpoint(high);
        if gives_up(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let start = if low == 0 { 0 } else { ends[low - 1] };
    let text = source[start..ends[low]].trim_end();
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Span {
        start: narrow(start + text.len() - text.trim_start().len()),
        end: narrow(start + text.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "panics are what is tested")]

    use super::*;

    const UNCLOSED: &str =
        "const a = 1;\nconst b = async (ctx: C, document: D => {\n  await x;\n};\nasync function f() { if (a) b(); }\n";

    #[test]
    fn the_place_is_where_the_bracket_stays_open() {
        assert!(
            caught(|| syntax::parse("a.ts", Positions::new(UNCLOSED))).is_err(),
            "the parser has learnt it: find another text"
        );
        let diagnostic = parser_failed("a.ts", UNCLOSED, "r");
        let span = diagnostic.labels[0].span;
        let before = &UNCLOSED[..span.start as usize];
        assert!(before.lines().count() >= 1, "{span:?}");
        assert!(
            UNCLOSED
                .get(span.start as usize..span.end as usize)
                .is_some_and(|text| !text.is_empty())
        );
    }

    #[test]
    fn a_panic_is_a_text() {
        assert_eq!(caught(|| 1), Ok(1));
        let outcome: Result<(), String> = caught(|| panic!("no"));
        assert_eq!(outcome, Err("no".to_owned()));
    }
}
