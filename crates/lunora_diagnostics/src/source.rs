//! Texts of files, and where a byte is for a reader and for JavaScript.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

/// A place in a text, the way editors and JavaScript count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Location {
    /// UTF-16 code units from the start of the text.
    pub offset: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in UTF-16 code units.
    pub column: u32,
}

/// A file's text with an index of its lines. A line ends with `\n`, `\r\n` or `\r`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: Arc<str>,
    text: Arc<str>,
    /// Byte offset of each line, and UTF-16 offset of the same place.
    lines: Vec<(usize, usize)>,
}

impl SourceFile {
    /// Indexes a text.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let mut lines = vec![(0, 0)];
        let mut utf16 = 0;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            utf16 += character.len_utf16();
            let ends = match character {
                '\n' => true,
                '\r' => characters.peek().is_none_or(|(_, next)| *next != '\n'),
                _ => false,
            };
            if ends {
                lines.push((at + character.len_utf8(), utf16));
            }
        }
        Self {
            path: path.into(),
            text,
            lines,
        }
    }

    /// The path, as given.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many lines there are; an empty text has one.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The nearest character boundary at or before a byte.
    pub(crate) fn floor(&self, byte: u32) -> usize {
        let byte = (byte as usize).min(self.text.len());
        (0..=byte).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    /// The line (from 0) that holds a byte.
    pub(crate) fn line_of(&self, byte: usize) -> usize {
        self.lines
            .partition_point(|(start, _)| *start <= byte)
            .saturating_sub(1)
    }

    /// The byte at which a line (from 0) begins.
    pub(crate) fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.text.len(), |(start, _)| *start)
    }

    /// A line (from 0) without its end.
    pub(crate) fn line_text(&self, line: usize) -> &str {
        let text = self
            .text
            .get(self.line_start(line)..self.line_start(line + 1))
            .unwrap_or("");
        text.trim_end_matches(['\r', '\n'])
    }

    /// Where a byte is. A byte inside a character counts as the character's first, one beyond the
    /// text as its end.
    #[must_use]
    pub fn location(&self, byte: u32) -> Location {
        let byte = self.floor(byte);
        let line = self.line_of(byte);
        let (start, utf16) = self.lines.get(line).copied().unwrap_or((0, 0));
        let before = self.text.get(start..byte).unwrap_or("");
        let column = if before.is_ascii() {
            before.len()
        } else {
            before.encode_utf16().count()
        };
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Location {
            offset: number(utf16 + column),
            line: number(line + 1),
            column: number(column + 1),
        }
    }
}

/// Where renderers find texts.
pub trait Sources {
    /// The file of a path; `None` when its text is not at hand.
    fn source(&self, path: &str) -> Option<&SourceFile>;
}

/// Some files, by path.
#[derive(Debug, Clone, Default)]
pub struct SourceFiles {
    files: HashMap<Arc<str>, SourceFile>,
}

impl SourceFiles {
    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        let path = path.into();
        self.files.insert(path.clone(), SourceFile::new(path, text));
    }
}

impl Sources for SourceFiles {
    fn source(&self, path: &str) -> Option<&SourceFile> {
        self.files.get(path)
    }
}

impl Sources for SourceFile {
    fn source(&self, path: &str) -> Option<&SourceFile> {
        (*self.path == *path).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, byte: u32) -> (u32, u32, u32) {
        let location = SourceFile::new("a.ts", text).location(byte);
        (location.offset, location.line, location.column)
    }

    #[test]
    fn ascii() {
        assert_eq!(at("ab\ncd", 0), (0, 1, 1));
        assert_eq!(at("ab\ncd", 2), (2, 1, 3));
        assert_eq!(at("ab\ncd", 3), (3, 2, 1));
        assert_eq!(at("ab\ncd", 5), (5, 2, 3));
        assert_eq!(at("ab\ncd", 99), (5, 2, 3));
        assert_eq!(at("", 0), (0, 1, 1));
    }

    #[test]
    fn columns_are_utf16() {
        // é is two bytes and one unit; 😀 is four bytes and two units.
        assert_eq!(at("é😀x", 2), (1, 1, 2));
        assert_eq!(at("é😀x", 6), (3, 1, 4));
        assert_eq!(at("é😀x", 4), (1, 1, 2), "inside a character");
        assert_eq!(at("😀\n😀x", 9), (5, 2, 3));
    }

    #[test]
    fn line_ends() {
        assert_eq!(at("a\r\nb", 3), (3, 2, 1));
        assert_eq!(at("a\rb", 2), (2, 2, 1));
        assert_eq!(SourceFile::new("a", "a\r\nb\rc\nd").line_count(), 4);
        assert_eq!(SourceFile::new("a", "a\r\nb\rc\nd").line_text(0), "a");
    }

    #[test]
    fn a_byte_order_mark_is_one_unit() {
        assert_eq!(at("\u{feff}ab", 3), (1, 1, 2));
        assert_eq!(at("\u{feff}ab\nc", 6), (4, 2, 1));
    }

    #[test]
    fn every_byte_agrees_with_counting() {
        let text = "a😀\r\nbé\rc\u{2028}d\n\u{feff}e";
        let file = SourceFile::new("a", text);
        for (byte, _) in text.char_indices() {
            let expected = text[..byte].encode_utf16().count();
            assert_eq!(
                file.location(u32::try_from(byte).unwrap_or(0)).offset as usize,
                expected
            );
        }
    }
}
