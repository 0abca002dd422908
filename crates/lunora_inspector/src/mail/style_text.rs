//! Styles written anew from their tokens, of which only known ones are taken.
//!
//! What is written is read by a browser as the same tokens: escapes and comments of the mail are resolved by the
//! reader, so that no name can hide behind one.

use cssparser::{ParseError, Parser, ToCss as _, Token, serialize_string};

use super::allowed_styles::{SELECTOR_FUNCTIONS, VALUE_FUNCTIONS};
use super::pictures::Pictures;

/// Blocks and functions inside each other.
const MOST_NESTED: u8 = 16;

/// What a part of a style sheet may consist of, besides names, numbers and commas.
struct Grammar {
    functions: &'static [&'static str],
    /// Single characters.
    marks: &'static str,
    has_texts: bool,
    has_parentheses: bool,
    /// Colons, and square brackets with what compares in them.
    is_selector: bool,
    has_colons: bool,
}

const VALUE: Grammar = Grammar {
    functions: VALUE_FUNCTIONS,
    marks: "/+-*!",
    has_texts: false,
    has_parentheses: true,
    is_selector: false,
    has_colons: false,
};

/// Names of fonts are texts; elsewhere a text may be an address.
const FONT: Grammar = Grammar {
    functions: &["calc", "min", "max", "clamp"],
    has_texts: true,
    has_parentheses: false,
    ..VALUE
};

const SELECTOR: Grammar = Grammar {
    functions: SELECTOR_FUNCTIONS,
    marks: ".>+~*=|-",
    has_texts: true,
    has_parentheses: false,
    is_selector: true,
    has_colons: true,
};

const QUERY: Grammar = Grammar {
    functions: &[],
    marks: "/>=",
    has_texts: false,
    has_parentheses: true,
    is_selector: false,
    has_colons: true,
};

/// Something is not known, so the declaration or rule that it is in is left out.
pub(crate) type Refused = ParseError<()>;

pub(crate) fn refused() -> Refused {
    ParseError::custom(())
}

/// Ends a `style` element, or begins a tag where somebody reads wrongly.
fn harmless(text: &str) -> Result<(), Refused> {
    if text.contains('<') { Err(refused()) } else { Ok(()) }
}

/// A picture of the mail, or `none`: what else is said beside it stays.
fn push_picture(address: &str, pictures: Option<&Pictures>, out: &mut String) -> Result<(), Refused> {
    let pictures = pictures.ok_or_else(refused)?;
    match pictures.shown(address) {
        Some(address) => {
            harmless(&address)?;
            out.push_str("url(");
            serialize_string(&address, out).map_err(|_| refused())?;
            out.push(')');
        }
        None => out.push_str("none"),
    }
    Ok(())
}

fn push_block(
    input: &mut Parser<'_>,
    (open, close): (char, char),
    grammar: &Grammar,
    pictures: Option<&Pictures>,
    out: &mut String,
) -> Result<(), Refused> {
    out.push(open);
    input.parse_nested_block(|input| push_all(input, grammar, pictures, out))?;
    out.push(close);
    Ok(())
}

/// Writes everything that is left of the input.
fn push_all(
    input: &mut Parser<'_>,
    grammar: &Grammar,
    pictures: Option<&Pictures>,
    out: &mut String,
) -> Result<(), Refused> {
    loop {
        let Ok(token) = input.next_including_whitespace_and_comments() else {
            return Ok(());
        };
        let token = token.clone();
        match &token {
            // Parts what it stood between, as white space would not everywhere.
            Token::Comment(_) => out.push_str("/**/"),
            Token::WhiteSpace(_) => out.push(' '),
            Token::QuotedString(_) if !grammar.has_texts => return Err(refused()),
            Token::Ident(text) | Token::QuotedString(text) | Token::Hash(text) | Token::IDHash(text) => {
                harmless(text)?;
                push_token(&token, out)?;
            }
            Token::Dimension { unit, .. } => {
                harmless(unit)?;
                push_token(&token, out)?;
            }
            Token::Number { .. } | Token::Percentage { .. } | Token::Comma => push_token(&token, out)?,
            Token::Delim(mark) if grammar.marks.contains(*mark) => out.push(*mark),
            Token::Colon if grammar.has_colons => out.push(':'),
            Token::IncludeMatch
            | Token::DashMatch
            | Token::PrefixMatch
            | Token::SuffixMatch
            | Token::SubstringMatch
                if grammar.is_selector =>
            {
                push_token(&token, out)?;
            }
            Token::SquareBracketBlock if grammar.is_selector => {
                push_block(input, ('[', ']'), grammar, None, out)?;
            }
            Token::ParenthesisBlock if grammar.has_parentheses => {
                push_block(input, ('(', ')'), grammar, None, out)?;
            }
            Token::UnquotedUrl(address) => push_picture(address, pictures, out)?,
            Token::Function(name) if name.eq_ignore_ascii_case("url") => {
                let address = input.parse_nested_block(|input| {
                    let address = input.expect_string_cloned()?;
                    input.expect_exhausted()?;
                    Ok::<_, Refused>(address)
                })?;
                push_picture(&address, pictures, out)?;
            }
            Token::Function(name) => {
                let name = name.to_ascii_lowercase();
                if !grammar.functions.contains(&name.as_str()) {
                    return Err(refused());
                }
                out.push_str(&name);
                push_block(input, ('(', ')'), grammar, None, out)?;
            }
            _ => return Err(refused()),
        }
    }
}

fn push_token(token: &Token<'_>, out: &mut String) -> Result<(), Refused> {
    token.to_css(out).map_err(|_| refused())
}

/// A list of selectors.
pub(crate) fn selectors(input: &mut Parser<'_>) -> Result<String, Refused> {
    of(input, &SELECTOR)
}

/// What an `@media` asks.
pub(crate) fn media_query(input: &mut Parser<'_>) -> Result<String, Refused> {
    of(input, &QUERY)
}

/// The value of a property.
pub(crate) fn value(input: &mut Parser<'_>, names_fonts: bool, pictures: Option<&Pictures>) -> Result<String, Refused> {
    let mut text = String::new();
    push_all(input, if names_fonts { &FONT } else { &VALUE }, pictures, &mut text)?;
    Ok(text.trim().to_owned())
}

fn of(input: &mut Parser<'_>, grammar: &Grammar) -> Result<String, Refused> {
    let mut text = String::new();
    push_all(input, grammar, None, &mut text)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(refused());
    }
    Ok(text.to_owned())
}

/// A reader of a text of the mail.
pub(crate) fn reader(text: &str) -> Parser<'_> {
    let mut input = Parser::new(text);
    input.set_nested_block_limit(MOST_NESTED);
    input
}
