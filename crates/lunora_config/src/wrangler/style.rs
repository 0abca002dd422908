//! How a file is written, so that what is added looks the same.

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged as _;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style<'a> {
    /// Between lines.
    pub(super) newline: &'static str,
    /// One level of indentation.
    pub(super) unit: &'a str,
}

impl<'a> Style<'a> {
    pub(super) const PLAIN: Self = Self {
        newline: "\n",
        unit: "  ",
    };

    /// The line ending of the first line, the indentation of the first property on its own line.
    pub(super) fn of(text: &'a str, root: &Object<'a>) -> Self {
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let base = indentation(text, root.range.start);
        let unit = root
            .properties
            .iter()
            .filter(|property| is_first_on_line(text, property.start()))
            .filter_map(|property| indentation(text, property.start()).strip_prefix(base))
            .find(|unit| !unit.is_empty())
            .unwrap_or(Self::PLAIN.unit);
        Self { newline, unit }
    }
}

/// The blanks that the line of a position starts with, up to the position at most.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..at];
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[..blanks]
}

/// Whether nothing but blanks stands before a position on its line.
pub(super) fn is_first_on_line(text: &str, at: usize) -> bool {
    indentation(text, at).len() == at - line_start(text, at)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
