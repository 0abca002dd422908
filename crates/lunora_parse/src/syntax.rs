//! Parsing, with errors as diagnostics.

use lunora_diagnostics::{Diagnostic, Span, codes};
use swc_core::common::Spanned;
use swc_core::ecma::ast::{EsVersion, Module};
use swc_core::ecma::parser::{EsSyntax, Lexer, Parser, StringInput, Syntax, TsSyntax, error::Error};

use crate::position::Positions;

/// At most this many syntax errors are told of one file.
const MAX_ERRORS: usize = 20;

/// What a file's name says of its language.
pub(crate) fn syntax_of(path: &str) -> Syntax {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "js" | "mjs" | "cjs" | "jsx" => Syntax::Es(EsSyntax {
            jsx: extension == "jsx",
            decorators: true,
            explicit_resource_management: true,
            import_attributes: true,
            ..EsSyntax::default()
        }),
        _ => Syntax::Typescript(TsSyntax {
            tsx: extension == "tsx",
            decorators: true,
            dts: path.ends_with(".d.ts"),
            ..TsSyntax::default()
        }),
    }
}

/// Parses a file as an ES module. The module is `None` when nothing can be made of the text.
pub(crate) fn parse(path: &str, positions: Positions<'_>) -> (Option<Module>, Vec<Diagnostic>) {
    let input = StringInput::new(positions.parsed(), positions.first(), positions.last());
    let lexer = Lexer::new(syntax_of(path), EsVersion::EsNext, input, None);
    let mut parser = Parser::new_from(lexer);
    let parsed = parser.parse_module();
    let mut errors = parser.take_errors();
    let module = match parsed {
        Ok(module) => Some(module),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    // One error for a place, and the first ones only: the parser can find very many.
    errors.sort_by_key(|error| error.span().lo);
    errors.dedup_by_key(|error| error.span().lo);
    errors.truncate(MAX_ERRORS);
    let diagnostics: Vec<Diagnostic> = errors.iter().map(|error| diagnostic(path, positions, error)).collect();
    // An error that the parser recovered from still means that the text is not JavaScript.
    (module.filter(|_| diagnostics.is_empty()), diagnostics)
}

fn diagnostic(path: &str, positions: Positions<'_>, error: &Error) -> Diagnostic {
    let message = error.kind().msg();
    Diagnostic::error(
        codes::SYNTAX_ERROR,
        format!("{path} does not parse: {}", message.trim()),
    )
    .at(path, visible(positions, positions.span(error.span())))
    .with_help("Fix the syntax at the marked place; until then the last good version stays in use.")
}

/// An empty span at the end of the text cannot be shown; the last character can.
fn visible(positions: Positions<'_>, span: Span) -> Span {
    if span.start < span.end {
        return span;
    }
    let before = positions.text(Span {
        start: 0,
        end: span.start,
    });
    match before.chars().next_back() {
        Some(last)
            if positions
                .text(Span {
                    start: span.start,
                    end: u32::MAX,
                })
                .is_empty()
                && span.start > 0 =>
        {
            Span {
                start: span.start - u32::try_from(last.len_utf8()).unwrap_or(0),
                end: span.end,
            }
        }
        _ => span,
    }
}
