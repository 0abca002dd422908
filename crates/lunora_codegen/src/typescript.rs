//! The smallest parts of TypeScript text.

/// Words that are no names of variables in a module, or that the type checker gives a meaning of
/// their own.
const RESERVED: [&str; 71] = [
    "abstract",
    "any",
    "arguments",
    "as",
    "async",
    "await",
    "bigint",
    "boolean",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "debugger",
    "declare",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "from",
    "function",
    "global",
    "if",
    "implements",
    "import",
    "in",
    "infer",
    "instanceof",
    "interface",
    "let",
    "module",
    "namespace",
    "never",
    "new",
    "null",
    "number",
    "object",
    "of",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "string",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "type",
    "typeof",
    "undefined",
    "unknown",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "globalThis",
];

/// Whether a text can stand where a variable is named.
pub(crate) fn is_reserved(text: &str) -> bool {
    RESERVED.contains(&text)
}

/// Whether a text is an identifier of ASCII letters: others are quoted, which is always right.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$';
    bytes.next().is_some_and(starts) && bytes.all(|byte| starts(byte) || byte.is_ascii_digit())
}

/// Appends a string literal.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        push_escaped(out, text);
    }
    out.push('"');
}

/// Appends JSON as a string in single quotes, so that its own quotes need no escapes.
pub(crate) fn push_single_quoted(out: &mut String, json: &str) {
    out.push('\'');
    for character in json.chars() {
        if matches!(character, '\'' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('\'');
}

/// Nearly all strings are of such bytes alone, and looking for them is quick.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn push_escaped(out: &mut String, text: &str) {
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            // Line breaks to JavaScript's older grammar, and invisible to readers.
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                out.push_str(&text[plain_from..at]);
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
                plain_from = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        out.push_str(escape);
        plain_from = at + character.len_utf8();
    }
    out.push_str(&text[plain_from..]);
}

/// Appends the name of a property in a type.
pub(crate) fn push_key(out: &mut String, name: &str) {
    if is_identifier(name) {
        out.push_str(name);
    } else {
        push_string(out, name);
    }
}

/// Appends the name of a property in an object literal, where `__proto__` would set the prototype.
pub(crate) fn push_literal_key(out: &mut String, name: &str) {
    if name == "__proto__" {
        out.push_str("[\"__proto__\"]");
    } else {
        push_key(out, name);
    }
}

/// Appends two blanks for each level.
pub(crate) fn push_indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::{is_identifier, push_key, push_string};

    #[test]
    fn strings_are_escaped() {
        let mut out = String::new();
        push_string(&mut out, "a\"b\\c\nd\u{2028}é\u{1}\u{7f}");
        assert_eq!(out, "\"a\\\"b\\\\c\\nd\\u2028é\\u0001\\u007f\"");
    }

    #[test]
    fn keys_are_quoted_when_they_have_to_be() {
        for (name, expected) in [
            ("a1", "a1"),
            ("class", "class"),
            ("my-file", "\"my-file\""),
            ("1a", "\"1a\""),
            ("", "\"\""),
            ("é", "\"é\""),
        ] {
            let mut out = String::new();
            push_key(&mut out, name);
            assert_eq!(out, expected);
        }
        assert!(is_identifier("$_a0"));
    }
}
