//! The grammar of `.dev.vars` and `.env` files.

use lunora_diagnostics::{Diagnostic, Span, codes};

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentEntry {
    /// Its name: letters, digits, `_`, `.` and `-`.
    pub key: String,
    /// Its value, quotes taken off.
    pub value: String,
    /// The line its name is on, from 1.
    pub line: u32,
    /// Where its name is.
    pub span: Span,
}

/// What an environment file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// One for each name, in the order of the file. Of several with the same name the last counts.
    pub entries: Vec<EnvironmentEntry>,
    /// Names given more than once.
    pub warnings: Vec<Diagnostic>,
}

/// Reads an environment file. The values are those that wrangler would give the Worker; lines that
/// wrangler would leave out without a word are errors here.
///
/// `KEY=value` with an optional `export` before it. A value without quotes ends at `#` or at the end
/// of the line and is trimmed. One in `'`, `"` or `` ` `` may run over several lines; `\n` and `\r`
/// mean line breaks between double quotes alone.
///
/// # Errors
/// One diagnostic for each line that is none of these.
pub fn parse_environment(file: &str, text: &str) -> Result<EnvironmentFile, Vec<Diagnostic>> {
    let mut scanner = Scanner {
        file,
        text,
        at: 0,
        line: 1,
    };
    if text.starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    let mut found = EnvironmentFile::default();
    let mut errors = Vec::new();
    loop {
        scanner.skip(char::is_whitespace);
        match scanner.peek() {
            None => break,
            Some('#') => scanner.skip_line(),
            Some(_) => match scanner.entry() {
                Ok(entry) => found.add(file, entry),
                Err(diagnostic) => {
                    errors.push(diagnostic);
                    scanner.skip_line();
                }
            },
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

impl EnvironmentFile {
    fn add(&mut self, file: &str, entry: EnvironmentEntry) {
        if let Some(position) = self.entries.iter().position(|earlier| earlier.key == entry.key) {
            let earlier = self.entries.remove(position);
            self.warnings.push(
                Diagnostic::warning(
                    codes::ENVIRONMENT_DUPLICATE_KEY,
                    format!(
                        "`{}` is set twice, on lines {} and {}; the later one counts",
                        entry.key, earlier.line, entry.line
                    ),
                )
                .at(file, entry.span)
                .and_at(file, earlier.span, "set here first")
                .with_help("Remove one of the two lines"),
            );
        }
        self.entries.push(entry);
    }
}

struct Scanner<'a> {
    file: &'a str,
    text: &'a str,
    at: usize,
    line: u32,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        let passed = self.text[self.at..self.at + bytes].matches('\n').count();
        self.line = self.line.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
        self.at += bytes;
    }

    /// Passes over characters; the number of bytes.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> usize {
        let length = self
            .rest()
            .find(|character| !wanted(character))
            .unwrap_or(self.rest().len());
        self.advance(length);
        length
    }

    fn skip_line(&mut self) {
        self.skip(|character| !is_line_break(character));
    }

    fn skip_blanks(&mut self) -> usize {
        self.skip(|character| character.is_whitespace() && !is_line_break(character))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |value| u32::try_from(value).unwrap_or(u32::MAX);
        Span {
            start: offset(start),
            end: offset(end),
        }
    }

    fn error(&self, start: usize, message: String, help: &str) -> Diagnostic {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Diagnostic::error(codes::ENVIRONMENT_SYNTAX, message)
            .at(self.file, self.span(start, end.max(start)))
            .with_help(help)
    }

    fn entry(&mut self) -> Result<EnvironmentEntry, Diagnostic> {
        let mut start = self.at;
        let mut line = self.line;
        self.skip(is_key_character);
        if &self.text[start..self.at] == "export" && self.skip_blanks() > 0 {
            start = self.at;
            line = self.line;
            self.skip(is_key_character);
        }
        if self.at == start {
            return Err(self.error(
                start,
                format!("line {line} of `{}` does not start with a name", self.file),
                "Write `NAME=value`; names have letters, digits, `_`, `.` and `-`. Put a `#` before a comment",
            ));
        }
        let key = self.text[start..self.at].to_owned();
        let span = self.span(start, self.at);
        self.skip_blanks();
        let rest = self.rest();
        // `NAME: value` is what the library that wrangler reads these files with takes too.
        let assigned = rest.starts_with('=') || (rest.starts_with(':') && rest[1..].starts_with([' ', '\t']));
        if !assigned {
            return Err(self.error(
                start,
                format!("`{key}` on line {line} of `{}` is not followed by `=`", self.file),
                "Write `NAME=value`, or put a `#` before a comment",
            ));
        }
        self.advance(1);
        self.skip_blanks();
        let value = match self.peek() {
            Some(quote @ ('"' | '\'' | '`')) => self.quoted(&key, quote)?,
            _ => self.unquoted(),
        };
        Ok(EnvironmentEntry { key, value, line, span })
    }

    fn unquoted(&mut self) -> String {
        let start = self.at;
        self.skip(|character| character != '#' && !is_line_break(character));
        let value = self.text[start..self.at].trim().to_owned();
        self.skip_line();
        value
    }

    fn quoted(&mut self, key: &str, quote: char) -> Result<String, Diagnostic> {
        let (open, line) = (self.at, self.line);
        self.advance(quote.len_utf8());
        let start = self.at;
        let mut escaped = false;
        let close = self.rest().find(|character| {
            let closes = character == quote && !escaped;
            escaped = character == '\\' && !escaped;
            closes
        });
        let Some(length) = close else {
            return Err(self.error(
                open,
                format!(
                    "the value of `{key}` opens a `{quote}` on line {line} of `{}` that is never closed",
                    self.file
                ),
                "Close the quote; a backslash before it makes it part of the value",
            ));
        };
        self.advance(length);
        let value = self.text[start..self.at].replace("\r\n", "\n").replace('\r', "\n");
        self.advance(quote.len_utf8());
        self.skip_blanks();
        match self.peek() {
            None => {}
            Some('#') => self.skip_line(),
            Some(character) if is_line_break(character) => {}
            Some(_) => {
                return Err(self.error(
                    self.at,
                    format!(
                        "the value of `{key}` goes on after its closing `{quote}` on line {} of `{}`",
                        self.line, self.file
                    ),
                    "Put the whole value between the quotes, or a `#` before a comment",
                ));
            }
        }
        Ok(if quote == '"' {
            value.replace("\\n", "\n").replace("\\r", "\r")
        } else {
            value
        })
    }
}

fn is_key_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_diagnostics::codes;
    use lunora_testing::Random;

    use super::parse_environment;

    fn values(text: &str) -> Vec<(String, String)> {
        let file = parse_environment(".dev.vars", text).unwrap();
        file.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
    }

    fn value(text: &str) -> String {
        values(text).first().unwrap().1.clone()
    }

    #[test]
    fn plain_values() {
        let text = "\u{feff}# a comment\n\nA=1\r\nexport B = two words  # said\nC.d-e_F=\nexport=5\nG: yes\n  H=x=y";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C.d-e_F", ""),
            ("export", "5"),
            ("G", "yes"),
            ("H", "x=y"),
        ];
        let found = values(text);
        let found: Vec<_> = found
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn quoted_values() {
        assert_eq!(value(r#"A="x # not a comment" # a comment"#), "x # not a comment");
        assert_eq!(value("A='  kept  '"), "  kept  ");
        assert_eq!(value("A=`it's \"so\"`"), "it's \"so\"");
        assert_eq!(value(r#"A="one\ntwo""#), "one\ntwo");
        assert_eq!(value(r"A='one\ntwo'"), r"one\ntwo");
        assert_eq!(value(r#"A="say \"hi\"""#), r#"say \"hi\""#);
        assert_eq!(
            value("A=\"-----BEGIN-----\r\nabc\r\n-----END-----\"\nB=1"),
            "-----BEGIN-----\nabc\n-----END-----"
        );
        assert_eq!(value("A=\"\""), "");
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let file = parse_environment(".dev.vars", "A='1\n2\n3'\r\n\r\nB=4").unwrap();
        let lines: Vec<_> = file.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn of_two_the_later_counts_and_both_are_shown() {
        let file = parse_environment(".dev.vars", "A=1\nB=2\nA=3").unwrap();
        assert_eq!(
            values("A=1\nB=2\nA=3"),
            [("B".into(), "2".into()), ("A".into(), "3".into())]
        );
        let warning = file.warnings.first().unwrap();
        assert_eq!(warning.code, codes::ENVIRONMENT_DUPLICATE_KEY);
        let starts: Vec<_> = warning.labels.iter().map(|label| label.span.start).collect();
        assert_eq!(starts, [8, 0]);
    }

    #[test]
    fn each_bad_line_is_reported_with_its_line() {
        let text = "ok=1\nno assignment\n=value\nA=\"x\" y\nfine=2\nB='never closed\n";
        let errors = parse_environment(".dev.vars", text).unwrap_err();
        assert_eq!(errors.len(), 4);
        for (error, line) in errors.iter().zip([2, 3, 4, 6]) {
            assert_eq!(error.code, codes::ENVIRONMENT_SYNTAX);
            assert!(error.message.contains(&format!("line {line} ")), "{}", error.message);
            assert!(error.help.is_some());
        }
    }

    #[test]
    fn any_text_is_read_or_refused_within_its_bounds() {
        let mut random = Random::from_environment("environment_file", 7);
        let parts = [
            "A", "=", "\"", "'", "`", "\\", "\n", "\r\n", "#", " ", "export ", "é", ":", "\u{2028}", "\u{feff}",
        ];
        for _ in 0..5_000 {
            let text: String = (0..random.below(24)).map(|_| *random.pick(&parts)).collect();
            let labels: Vec<_> = match parse_environment("f", &text) {
                Ok(file) => file.entries.iter().map(|entry| entry.span).collect(),
                Err(errors) => errors
                    .iter()
                    .flat_map(|error| &error.labels)
                    .map(|label| label.span)
                    .collect(),
            };
            for span in labels {
                let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
                assert!(text.get(range).is_some(), "{text:?}");
            }
        }
    }
}
