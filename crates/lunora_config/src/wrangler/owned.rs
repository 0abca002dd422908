//! Elements that were added here and may be taken away again.
//!
//! A comment before an element says so. Whoever takes the comment away makes the element theirs.

use jsonc_parser::ast::Array;
use jsonc_parser::common::Range;
use serde_json::Value;

use super::edit::Container;

/// What stands before an element that was added here.
pub(super) const MARK: &str = "/* lunora */";

/// Stands in memory for [`MARK`], at the start of a string that is yet to be written; no configuration has it.
pub(super) const PLACEHOLDER: char = '\u{e000}';

/// A string that is written with a mark.
pub(super) fn marked(text: &str) -> Value {
    Value::String(format!("{PLACEHOLDER}{text}"))
}

/// Where the mark of the element begins that starts at `start`; none where it has no mark.
pub(super) fn mark_start(text: &str, start: usize) -> Option<usize> {
    let before = text[..start].trim_end_matches([' ', '\t']);
    before.ends_with(MARK).then(|| before.len() - MARK.len())
}

/// A list whose elements begin with their marks.
pub(super) fn marked_list(text: &str, list: &Array<'_>) -> Container {
    let mut container = Container::from(list);
    for Range { start, .. } in &mut container.items {
        *start = mark_start(text, *start).unwrap_or(*start);
    }
    container
}
