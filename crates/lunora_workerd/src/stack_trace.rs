//! Stack frames from workerd, brought back to the files the user wrote.

use std::borrow::Cow;

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePosition {
    /// The file as it is to be shown.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in UTF-16 units.
    pub column: u32,
}

impl std::fmt::Display for SourcePosition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Knows where the text of a generated module came from.
pub trait StackRemapper: Send + Sync {
    /// The source position for `line` and `column` (both 1-based, as stack traces count) of `module`,
    /// which is a name from the worker's description. `None` leaves the frame as it is.
    fn remap(&self, module: &str, line: u32, column: u32) -> Option<SourcePosition>;
}

/// What workerd puts before module names with its new registry.
const BUNDLE_PREFIX: &str = "file:///bundle/";

/// The module, line and column in a text like `file:///bundle/messages.js:2:9`.
pub(crate) fn parse_location(text: &str) -> Option<(Cow<'_, str>, u32, u32)> {
    let (rest, column) = text.rsplit_once(':')?;
    let (module, line) = rest.rsplit_once(':')?;
    let (line, column) = (line.parse().ok()?, column.parse().ok()?);
    let module = match module.strip_prefix(BUNDLE_PREFIX) {
        Some(encoded) => decode_percent(encoded),
        None => Cow::Borrowed(module),
    };
    (!module.is_empty()).then_some((module, line, column))
}

/// Module names come back as the path of a URL.
fn decode_percent(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Shows one location as a source position where there is one.
pub(crate) fn remap_location(location: &str, remapper: Option<&dyn StackRemapper>) -> Option<String> {
    let (module, line, column) = parse_location(location)?;
    let position = remapper.and_then(|remapper| remapper.remap(&module, line, column));
    match position {
        Some(position) => Some(position.to_string()),
        None if location.starts_with(BUNDLE_PREFIX) => Some(format!("{module}:{line}:{column}")),
        None => None,
    }
}

/// Replaces the location in every line of `text` that is a stack frame: `at f (module:1:2)`,
/// `at module:1:2` and `at module:1:2 in f`. Other lines, and text that merely looks similar, stay.
pub(crate) fn remap_stack(text: &str, remapper: Option<&dyn StackRemapper>) -> String {
    let mut result = String::with_capacity(text.len());
    for (position, line) in text.split('\n').enumerate() {
        if position > 0 {
            result.push('\n');
        }
        match frame_location(line) {
            Some(range) => match remap_location(&line[range.clone()], remapper) {
                Some(location) => {
                    result.push_str(&line[..range.start]);
                    result.push_str(&location);
                    result.push_str(&line[range.end..]);
                }
                None => result.push_str(line),
            },
            None => result.push_str(line),
        }
    }
    result
}

/// Where in `line` its location stands, if it is a stack frame.
fn frame_location(line: &str) -> Option<std::ops::Range<usize>> {
    let indent = line.len() - line.trim_start().len();
    let rest = line[indent..].strip_prefix("at ")?;
    let start = line.len() - rest.len();
    if let Some(open) = rest.rfind('(')
        && let Some(length) = rest[open..].find(')')
    {
        return Some(start + open + 1..start + open + length);
    }
    let length = rest.find(" in ").unwrap_or(rest.trim_end().len());
    let from = rest[..length].strip_prefix("async ").map_or(0, |_| "async ".len());
    Some(start + from..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Messages;

    impl StackRemapper for Messages {
        fn remap(&self, module: &str, line: u32, column: u32) -> Option<SourcePosition> {
            (module == "messages.js").then(|| SourcePosition {
                file: "lunora/messages.ts".to_owned(),
                line: line + 10,
                column: column + 1,
            })
        }
    }

    #[test]
    fn frames_of_known_modules_are_mapped_and_the_rest_stays() {
        let text = "Error: deep at messages.js:2:9\n    at Module.boom (file:///bundle/messages.js:2:9)\n    at async file:///bundle/messages.js:3:1\n    at Object.fetch (file:///bundle/_generated/worker.js:6:55)\n  at messages.js:5:1 in go\n    at native\n    at node:internal";
        assert_eq!(
            remap_stack(text, Some(&Messages)),
            "Error: deep at messages.js:2:9\n    at Module.boom (lunora/messages.ts:12:10)\n    at async lunora/messages.ts:13:2\n    at Object.fetch (_generated/worker.js:6:55)\n  at lunora/messages.ts:15:2 in go\n    at native\n    at node:internal"
        );
    }

    #[test]
    fn without_a_remapper_only_the_prefix_goes() {
        assert_eq!(
            remap_stack("    at boom (file:///bundle/a%20%5Bslug%5D.js:1:2)", None),
            "    at boom (a [slug].js:1:2)"
        );
    }

    #[test]
    fn odd_locations_are_left_alone() {
        for text in [
            "",
            "at",
            "at ",
            "    at (",
            "at ()",
            "at (:1:2)",
            "at (x:99999999999:1)",
            "at %zz:1:1)(",
        ] {
            assert_eq!(remap_stack(text, Some(&Messages)), text);
        }
    }
}
