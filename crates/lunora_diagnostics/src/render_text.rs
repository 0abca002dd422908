//! Diagnostics for a terminal: message, code frame, labels, help.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};
use unicode_width::UnicodeWidthChar as _;

use crate::source::{SourceFile, Sources};
use crate::{Diagnostic, Label, Severity};

/// How to render. Whether to colour (a terminal, `NO_COLOR`, `--color`) is the caller's decision.
#[derive(Debug, Clone, Copy)]
pub struct RenderOptions {
    /// ANSI colours.
    pub color: bool,
    /// Box-drawing characters instead of ASCII.
    pub unicode: bool,
    /// Columns of the terminal; longer source lines are cut around the label.
    pub width: usize,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            color: false,
            unicode: true,
            width: 100,
        }
    }
}

/// Lines shown before and after a label.
const CONTEXT: usize = 1;
/// A label over more lines shows its first and its last ones.
const MOST_LINES: usize = 6;
/// Columns of a tab.
const TAB: usize = 2;

struct Glyphs {
    corner: &'static str,
    bar: &'static str,
    end: &'static str,
    gap: &'static str,
    under: char,
}

const UNICODE: Glyphs = Glyphs {
    corner: "╭─",
    bar: "│",
    end: "╰─",
    gap: "·",
    under: '─',
};
const ASCII: Glyphs = Glyphs {
    corner: "-->",
    bar: "|",
    end: "=",
    gap: ":",
    under: '^',
};

/// Renders a diagnostic, ending with a line break.
#[must_use]
pub fn render_text(diagnostic: &Diagnostic, sources: &dyn Sources, options: &RenderOptions) -> String {
    let renderer = Renderer {
        options,
        glyphs: if options.unicode { &UNICODE } else { &ASCII },
    };
    let mut out = String::new();
    renderer.header(&mut out, diagnostic);
    let gutter = diagnostic
        .labels
        .iter()
        .filter_map(|label| {
            let file = sources.source(&label.file)?;
            Some(digits(file.line_of(file.floor(label.span.end)) + 1 + CONTEXT))
        })
        .max()
        .unwrap_or(1);
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let same_file = index > 0 && diagnostic.labels[index - 1].file == label.file;
        renderer.label(
            &mut out,
            label,
            sources.source(&label.file),
            gutter,
            diagnostic.severity,
            index == 0,
            same_file,
        );
    }
    if let Some(help) = &diagnostic.help {
        let lead = format!("{:gutter$} {} ", "", renderer.glyphs.end);
        let _ = writeln!(
            out,
            "{}{} {help}",
            renderer.dim(&lead),
            renderer.paint("help:", Style::new().cyan().bold())
        );
    }
    out
}

/// The frame of one label as plain text, for JSON.
pub(crate) fn frame(label: &Label, file: &SourceFile) -> String {
    let options = RenderOptions {
        color: false,
        unicode: false,
        width: 120,
    };
    let renderer = Renderer {
        options: &options,
        glyphs: &ASCII,
    };
    let mut out = String::new();
    let gutter = digits(file.line_of(file.floor(label.span.end)) + 1 + CONTEXT);
    renderer.lines(&mut out, label, file, gutter, Style::new());
    out.truncate(out.trim_end().len());
    out
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

struct Renderer<'a> {
    options: &'a RenderOptions,
    glyphs: &'a Glyphs,
}

impl Renderer<'_> {
    fn paint(&self, text: &str, style: Style) -> String {
        if self.options.color {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    fn dim(&self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    fn header(&self, out: &mut String, diagnostic: &Diagnostic) {
        let (word, style) = match diagnostic.severity {
            Severity::Error => ("error", Style::new().red().bold()),
            Severity::Warning => ("warning", Style::new().yellow().bold()),
            Severity::Advice => ("advice", Style::new().blue().bold()),
        };
        let head = self.paint(&format!("{word}[{}]", diagnostic.code), style);
        let message = self.paint(&printable(&diagnostic.message), Style::new().bold());
        let _ = writeln!(out, "{head}: {message}");
    }

    #[allow(clippy::too_many_arguments)]
    fn label(
        &self,
        out: &mut String,
        label: &Label,
        file: Option<&SourceFile>,
        gutter: usize,
        severity: Severity,
        first: bool,
        same_file: bool,
    ) {
        let pad = " ".repeat(gutter);
        let Some(file) = file else {
            let _ = writeln!(out, "{pad}{} {}", self.dim(self.glyphs.corner), label.file);
            return;
        };
        let location = file.location(label.span.start);
        let place = format!("{}:{}:{}", label.file, location.line, location.column);
        if same_file {
            let _ = writeln!(out, "{pad} {}", self.dim(self.glyphs.gap));
        } else {
            let _ = writeln!(
                out,
                "{pad}{} {}",
                self.dim(self.glyphs.corner),
                self.paint(&place, Style::new().cyan())
            );
        }
        let style = match (first, severity) {
            (true, Severity::Error) => Style::new().red().bold(),
            (true, Severity::Warning) => Style::new().yellow().bold(),
            (true, Severity::Advice) | (false, _) => Style::new().blue().bold(),
        };
        self.lines(out, label, file, gutter, style);
    }

    fn lines(&self, out: &mut String, label: &Label, file: &SourceFile, gutter: usize, style: Style) {
        let start = file.floor(label.span.start);
        let end = file.floor(label.span.end).max(start);
        let first = file.line_of(start);
        // A span that ends where a line begins does not reach into that line.
        let last = if end > start { file.line_of(end - 1) } else { first };
        let from = first.saturating_sub(CONTEXT);
        let to = (last + CONTEXT).min(file.line_count() - 1);
        let mut skipped = false;
        for line in from..=to {
            let inside = (first..=last).contains(&line);
            if inside && last - first >= MOST_LINES && line > first + 2 && line < last {
                if !skipped {
                    let _ = writeln!(out, "{} {}", " ".repeat(gutter), self.dim(self.glyphs.gap));
                    skipped = true;
                }
                continue;
            }
            let text = file.line_text(line);
            let line_start = file.line_start(line);
            let mark = (line == first || line == last).then(|| {
                (
                    start.max(line_start) - line_start,
                    end.min(line_start + text.len()).saturating_sub(line_start),
                )
            });
            let (shown, marked) = self.fit(text, mark, gutter);
            // Blank lines around the label say nothing.
            if shown.trim().is_empty() && !inside {
                continue;
            }
            let number = self.dim(&format!("{:>gutter$}", line + 1));
            let _ = writeln!(
                out,
                "{}",
                format!("{number} {} {shown}", self.dim(self.glyphs.bar)).trim_end()
            );
            if let Some((column, width)) = marked {
                let under = self.glyphs.under.to_string().repeat(width.max(1));
                let text = match (&label.message, line == last) {
                    (Some(message), true) => format!("{under} {}", printable(message)),
                    _ => under,
                };
                let gap = self.dim(self.glyphs.gap);
                let _ = writeln!(
                    out,
                    "{} {gap} {}{}",
                    " ".repeat(gutter),
                    " ".repeat(column),
                    self.paint(&text, style)
                );
            }
        }
    }

    /// A line with tabs expanded and control characters made visible, cut to the width around the
    /// mark; and the mark in columns.
    fn fit(&self, text: &str, mark: Option<(usize, usize)>, gutter: usize) -> (String, Option<(usize, usize)>) {
        let room = self.options.width.saturating_sub(gutter + 4).max(20);
        let mut cells: Vec<(usize, String, usize)> = Vec::new();
        let mut column = 0;
        for (at, character) in text.char_indices() {
            let (shown, width) = cell(character);
            cells.push((at, shown, column));
            column += width;
        }
        let total = column;
        let column_of = |byte: usize| {
            cells
                .iter()
                .find(|(at, _, _)| *at >= byte)
                .map_or(total, |(_, _, column)| *column)
        };
        let marked = mark.map(|(start, end)| {
            let from = column_of(start);
            (from, column_of(end.max(start)).saturating_sub(from))
        });
        let left = match marked {
            Some((from, _)) if total > room && from + 20 > room => from.saturating_sub(room / 2),
            _ => 0,
        };
        let mut shown = String::new();
        if left > 0 {
            shown.push('…');
        }
        let shift = usize::from(left > 0);
        let mut cut = false;
        for (_, text, column) in &cells {
            if *column < left {
                continue;
            }
            if *column - left + shift + 1 > room && total - left > room {
                cut = true;
                break;
            }
            shown.push_str(text);
        }
        if cut {
            shown.push('…');
        }
        let marked = marked.map(|(from, width)| {
            let from = from.saturating_sub(left) + shift;
            (from, width.min(room.saturating_sub(from)))
        });
        (shown, marked)
    }
}

fn cell(character: char) -> (String, usize) {
    match character {
        '\t' => (" ".repeat(TAB), TAB),
        '\u{feff}' => (String::new(), 0),
        // Escape sequences in a source must not reach the terminal.
        character if character.is_control() || is_bidirectional_control(character) => ("\u{fffd}".to_owned(), 1),
        character => (character.to_string(), character.width().unwrap_or(0)),
    }
}

/// Characters that reorder text can make a terminal show something else than the source says.
fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// A message may quote the source: no control characters, one line.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' => ' ',
            character if character.is_control() || is_bidirectional_control(character) => '\u{fffd}',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Span, codes};

    const TEXT: &str = "import { v } from \"x\";\n\nexport const a = {\n\tb: v.stirng(),\n};\n";

    fn sources(text: &str) -> SourceFile {
        SourceFile::new("lunora/a.ts", text)
    }

    fn span(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap_or(0);
        let number = |value| u32::try_from(value).unwrap_or(0);
        Span {
            start: number(start),
            end: number(start + part.len()),
        }
    }

    fn diagnostic(text: &str, part: &str) -> Diagnostic {
        Diagnostic::error(codes::SYNTAX_ERROR, "there is no validator `v.stirng`")
            .at("lunora/a.ts", span(text, part))
            .with_help("Did you mean `string`?")
    }

    #[test]
    fn a_frame() {
        let text = render_text(&diagnostic(TEXT, "stirng"), &sources(TEXT), &RenderOptions::default());
        assert_eq!(
            text,
            "error[SYNTAX_ERROR]: there is no validator `v.stirng`\n \u{20}\u{256d}\u{2500} lunora/a.ts:4:7\n"
                .replace(" \u{20}\u{256d}", " ╭")
                + "3 │ export const a = {\n4 │   b: v.stirng(),\n  ·        ──────\n5 │ };\n  ╰─ help: Did you mean `string`?\n"
        );
    }

    #[test]
    fn ascii_and_second_labels() {
        let diagnostic = diagnostic(TEXT, "stirng").and_at("lunora/a.ts", span(TEXT, "v }"), "imported here");
        let options = RenderOptions {
            color: false,
            unicode: false,
            width: 80,
        };
        let text = render_text(&diagnostic, &sources(TEXT), &options);
        assert_eq!(
            text,
            "error[SYNTAX_ERROR]: there is no validator `v.stirng`\n --> lunora/a.ts:4:7\n3 | export const a = {\n4 |   b: v.stirng(),\n  :        ^^^^^^\n5 | };\n  :\n1 | import { v } from \"x\";\n  :          ^^^ imported here\n  = help: Did you mean `string`?\n"
        );
    }

    #[test]
    fn wide_characters_and_tabs_line_up() {
        let text = "\t漢字 = \"😀\" + broken";
        let rendered = render_text(&diagnostic(text, "broken"), &sources(text), &RenderOptions::default());
        // Two for the tab, four for two wide characters, three, two quotes around two columns, three.
        assert!(
            rendered.contains(&format!("\n  · {}──────\n", " ".repeat(2 + 4 + 3 + 4 + 3))),
            "{rendered}"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_label() {
        let text = format!("{}broken{}", "a ".repeat(300), " b".repeat(300));
        let options = RenderOptions {
            width: 60,
            ..RenderOptions::default()
        };
        let rendered = render_text(&diagnostic(&text, "broken"), &sources(&text), &options);
        assert!(rendered.contains("broken"), "{rendered}");
        assert!(
            rendered
                .lines()
                .filter(|line| line.contains('│'))
                .all(|line| line.chars().count() <= 61),
            "{rendered}"
        );
    }

    #[test]
    fn spans_that_cannot_be_do_no_harm() {
        for (start, end) in [(0, 0), (5, 2), (900, 1_000), (u32::MAX, u32::MAX)] {
            let diagnostic = Diagnostic::error(codes::SYNTAX_ERROR, "x").at("lunora/a.ts", Span { start, end });
            assert!(render_text(&diagnostic, &sources(TEXT), &RenderOptions::default()).contains("lunora/a.ts:"));
        }
        let diagnostic = Diagnostic::error(codes::SYNTAX_ERROR, "x").at("gone.ts", Span::default());
        assert!(render_text(&diagnostic, &sources(TEXT), &RenderOptions::default()).contains("gone.ts"));
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        let text = "const a = \"\u{1b}[31m\u{202e}\";";
        let rendered = render_text(&diagnostic(text, "const"), &sources(text), &RenderOptions::default());
        assert!(
            !rendered.contains('\u{1b}') && !rendered.contains('\u{202e}'),
            "{rendered}"
        );
    }

    #[test]
    fn colour_only_when_asked() {
        let options = RenderOptions {
            color: true,
            ..RenderOptions::default()
        };
        assert!(render_text(&diagnostic(TEXT, "stirng"), &sources(TEXT), &options).contains("\u{1b}["));
    }
}
