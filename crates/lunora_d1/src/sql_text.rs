//! Where statements begin and end in a text.

use std::ops::Range;

/// The statements of a text, each from its first word to its last; what is only comments, spaces or semicolons is none.
///
/// A semicolon ends a statement, but for one that creates a trigger: that is ended by `; END ;`.
pub(crate) fn statements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current: Option<Range<usize>> = None;
    let mut trigger = Trigger::Unknown;
    for token in (Tokens { text, at: 0 }) {
        let word = &text[token.clone()];
        if word == ";" && !matches!(trigger, Trigger::Body | Trigger::BodySemicolon) {
            found.extend(current.take());
            trigger = Trigger::Unknown;
            continue;
        }
        trigger = trigger.after(word);
        current = Some(current.map_or(token.start, |so_far| so_far.start)..token.end);
    }
    found.extend(current);
    found
}

/// The first word of a statement in capitals; empty for what begins with none.
pub(crate) fn first_word(statement: &str) -> String {
    let end = statement
        .find(|character: char| !is_word(character))
        .unwrap_or(statement.len());
    statement[..end].to_ascii_uppercase()
}

/// How far a statement is on its way to the end of a trigger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// Nothing read yet, or `EXPLAIN [QUERY PLAN]`.
    Unknown,
    /// `CREATE`, or `CREATE TEMP`.
    Create,
    /// It is another statement.
    No,
    /// Within a trigger.
    Body,
    /// Within a trigger, behind a semicolon.
    BodySemicolon,
    /// Behind `; END`.
    BodyEndsHere,
}

impl Trigger {
    fn after(self, word: &str) -> Self {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        match self {
            Self::Unknown if is("EXPLAIN") || is("QUERY") || is("PLAN") => Self::Unknown,
            Self::Unknown if is("CREATE") => Self::Create,
            Self::Create if is("TEMP") || is("TEMPORARY") => Self::Create,
            Self::Create if is("TRIGGER") => Self::Body,
            Self::Unknown | Self::Create | Self::No => Self::No,
            Self::Body | Self::BodySemicolon | Self::BodyEndsHere if word == ";" => Self::BodySemicolon,
            Self::BodySemicolon if is("END") => Self::BodyEndsHere,
            Self::Body | Self::BodySemicolon | Self::BodyEndsHere => Self::Body,
        }
    }
}

/// Words, quoted parts and single characters; no spaces and comments.
struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl Tokens<'_> {
    /// From `at` up to and with `end`, or to the end of the text.
    fn past(&self, from: usize, end: &str) -> usize {
        self.text[from..]
            .find(end)
            .map_or(self.text.len(), |found| from + found + end.len())
    }
}

impl Iterator for Tokens<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            let start = self.at;
            let inside = start + first.len_utf8();
            self.at = match first {
                ' ' | '\t' | '\n' | '\r' | '\x0c' | '\u{feff}' => {
                    self.at = inside;
                    continue;
                }
                '-' if rest.starts_with("--") => {
                    self.at = self.past(inside, "\n");
                    continue;
                }
                '/' if rest.starts_with("/*") => {
                    self.at = self.past(inside + 1, "*/");
                    continue;
                }
                '[' => self.past(inside, "]"),
                // A doubled quote within is two quoted parts side by side, which end where one would.
                '\'' => self.past(inside, "'"),
                '"' => self.past(inside, "\""),
                '`' => self.past(inside, "`"),
                _ if is_word(first) => rest
                    .find(|character| !is_word(character))
                    .map_or(self.text.len(), |length| start + length),
                _ => inside,
            };
            return Some(start..self.at);
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rusqlite::fallible_iterator::FallibleIterator as _;

    use super::{first_word, statements};

    fn split(text: &str) -> Vec<&str> {
        statements(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn statements_end_at_semicolons() {
        assert_eq!(split("SELECT 1"), ["SELECT 1"]);
        assert_eq!(split(" ;; SELECT 1 ; SELECT 2;; "), ["SELECT 1", "SELECT 2"]);
        assert_eq!(split("a;b -- c;\n;/* d; */ e /* f"), ["a", "b", "e"]);
        assert_eq!(split("-- one\n/* two */ SELECT 1 -- three"), ["SELECT 1"]);
        assert_eq!(
            split("SELECT ';', \";\", `;`, [;], 'it''s;'; x"),
            ["SELECT ';', \";\", `;`, [;], 'it''s;'", "x"]
        );
        assert_eq!(split("SELECT 1 - -1; SELECT 4 / 2"), ["SELECT 1 - -1", "SELECT 4 / 2"]);
        assert_eq!(split("\u{feff}SELECT 'ä;€'; ü"), ["SELECT 'ä;€'", "ü"]);
        for nothing in ["", " \n", ";", "-- x", "/* x", "/*/ x", "--", ";-- x\n;"] {
            assert_eq!(split(nothing), Vec::<&str>::new(), "{nothing}");
        }
        for open in ["SELECT 'x; y", "SELECT \"x; y", "SELECT [x; y", "SELECT `x; y"] {
            assert_eq!(split(open), [open]);
        }
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let plain = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END";
        assert_eq!(split(&format!("{plain}; SELECT 1")), [plain, "SELECT 1"]);
        let temporary = "EXPLAIN create temp trigger t AFTER INSERT ON a BEGIN SELECT 1; end";
        assert_eq!(split(&format!("{temporary};;x;")), [temporary, "x"]);
        let column = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT \"END\"; END";
        assert_eq!(split(column), [column]);
        assert_eq!(
            split("CREATE TABLE trigger_end (a); END; x"),
            ["CREATE TABLE trigger_end (a)", "END", "x"]
        );
        let open = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2;";
        assert_eq!(split(open), [open]);
    }

    /// SQLite's own reading is the oracle.
    #[test]
    fn statements_are_those_that_sqlite_finds() {
        let parts = [
            "SELECT 1",
            "select ';' || \"a;\" || [b;] || `c;` FROM t",
            "VALUES ('it''s; /* no */ -- no')",
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM t; END",
            "EXPLAIN QUERY PLAN SELECT '€;ä'",
            "WITH x AS (SELECT x'00' AS e) SELECT e AS \"end\" FROM x",
        ];
        let between = [
            ";",
            " ;\n",
            ";;",
            "; -- one; two\n",
            ";/* one; */",
            "\t;\r\n\u{feff}",
            ";--\n;/**/;",
        ];
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (a, \"a;\", \"b;\", \"c;\")")
            .unwrap();
        let mut random = lunora_testing::Random::anew("statements");
        for _ in 0..2_000 {
            let mut text = String::new();
            for _ in 0..=random.below(5) {
                text.push_str(between[random.below(between.len())]);
                text.push_str(parts[random.below(parts.len())]);
                text.push_str(between[random.below(between.len())]);
            }
            let mut batch = rusqlite::Batch::new(&connection, &text);
            let mut expected = Vec::new();
            while let Some(statement) = batch.next().unwrap() {
                expected.push(statement.expanded_sql().unwrap());
            }
            let found = split(&text);
            assert_eq!(found.len(), expected.len(), "{text}");
            for (found, expected) in found.iter().zip(&expected) {
                // What stands before it and its semicolon are SQLite's too.
                assert!(
                    expected.contains(found) && connection.prepare(found).is_ok(),
                    "{found}\n{expected}"
                );
            }
        }
    }

    #[test]
    fn no_text_is_too_strange() {
        let parts = [
            "'",
            "\"",
            "`",
            "[",
            "]",
            "--",
            "/*",
            "*/",
            "/",
            "-",
            ";",
            "\n",
            "€",
            "\0",
            "END",
            "CREATE",
            " TRIGGER ",
            "x",
        ];
        let mut random = lunora_testing::Random::anew("strange statements");
        for _ in 0..20_000 {
            let text: String = (0..random.below(12))
                .map(|_| parts[random.below(parts.len())])
                .collect();
            let found = statements(&text);
            let ends = found.iter().flat_map(|range| [range.start, range.end]);
            assert!(
                ends.is_sorted() && found.iter().all(|range| !text[range.clone()].is_empty()),
                "{text}"
            );
        }
    }

    #[test]
    fn first_words() {
        assert_eq!(first_word("select*from a"), "SELECT");
        assert_eq!(first_word("BEGIN"), "BEGIN");
        assert_eq!(first_word("(1)"), "");
        assert_eq!(first_word(""), "");
    }
}
