//! A second, much simpler reader of JSON with comments: it takes out what plain JSON lacks and hands
//! the rest to `serde_json`.

use serde_json::Value;

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// Anything that counts: strings, numbers, words, punctuation.
    Code(&'a str),
    Comment(&'a str),
    Blank(&'a str),
}

pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(first) = rest.chars().next() {
        let (length, make): (usize, fn(&str) -> Token<'_>) = if rest.starts_with("//") {
            let line = rest.find('\n').map_or(rest, |at| rest[..at].trim_end_matches('\r'));
            (line.len(), |text| Token::Comment(text))
        } else if rest.starts_with("/*") {
            (rest.find("*/").unwrap() + 2, |text| Token::Comment(text))
        } else if first == '"' {
            (string_length(rest), |text| Token::Code(text))
        } else if first.is_whitespace() {
            (rest.len() - rest.trim_start().len(), |text| Token::Blank(text))
        } else if "{}[],:".contains(first) {
            (1, |text| Token::Code(text))
        } else {
            let ends = |c: char| c.is_whitespace() || "{}[],:/\"".contains(c);
            (rest.find(ends).unwrap_or(rest.len()), |text| Token::Code(text))
        };
        tokens.push(make(&rest[..length]));
        rest = &rest[length..];
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("unterminated string in {text}")
}

/// The value; of a key that is given twice the last.
pub fn value(text: &str) -> Value {
    let code: Vec<_> = tokens(text)
        .into_iter()
        .filter_map(|token| match token {
            Token::Code(code) => Some(code),
            _ => None,
        })
        .collect();
    let mut plain = String::new();
    for (position, token) in code.iter().enumerate() {
        let is_trailing = *token == "," && code.get(position + 1).is_some_and(|next| matches!(*next, "}" | "]"));
        if !is_trailing {
            plain.push_str(token);
        }
    }
    match serde_json::from_str(&plain) {
        Ok(value) => value,
        Err(error) => panic!("{error} in\n{text}"),
    }
}

/// Whether all bytes of one text are in another, in the same order.
pub fn is_subsequence<Item: PartialEq>(
    part: impl IntoIterator<Item = Item>,
    whole: impl IntoIterator<Item = Item>,
) -> bool {
    let mut whole = whole.into_iter();
    part.into_iter().all(|item| whole.any(|other| other == item))
}
