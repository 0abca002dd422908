//! From the parser's positions to byte offsets in the file.

use lunora_diagnostics::Span;
use swc_core::common::BytePos;

/// The parser starts counting at one, after the byte order mark.
const FIRST: u32 = 1;

/// Turns the parser's positions into offsets of the text as it is on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Positions<'source> {
    /// The whole text, byte order mark included.
    source: &'source str,
    /// Length of the byte order mark.
    shift: u32,
}

impl<'source> Positions<'source> {
    pub(crate) fn new(source: &'source str) -> Self {
        let shift = if source.starts_with('\u{feff}') { 3 } else { 0 };
        Self { source, shift }
    }

    /// The text the parser is given.
    pub(crate) fn parsed(self) -> &'source str {
        self.source.get(self.shift as usize..).unwrap_or("")
    }

    pub(crate) fn first(self) -> BytePos {
        BytePos(FIRST)
    }

    pub(crate) fn last(self) -> BytePos {
        BytePos(FIRST + u32::try_from(self.parsed().len()).unwrap_or(u32::MAX - FIRST))
    }

    /// The offset of a position in the whole text, inside it whatever the parser says.
    pub(crate) fn offset(self, position: BytePos) -> u32 {
        let length = u32::try_from(self.source.len()).unwrap_or(u32::MAX);
        let offset = (position.0.saturating_sub(FIRST) + self.shift).min(length) as usize;
        // A parser error may point between the bytes of a character.
        let offset = (0..=offset).rev().find(|offset| self.source.is_char_boundary(*offset));
        u32::try_from(offset.unwrap_or(0)).unwrap_or(u32::MAX)
    }

    pub(crate) fn span(self, span: swc_core::common::Span) -> Span {
        let start = self.offset(span.lo);
        let end = self.offset(span.hi).max(start);
        Span { start, end }
    }

    pub(crate) fn text(self, span: Span) -> &'source str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}
