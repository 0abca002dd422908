//! Whether every value that one kind accepts is accepted by another, so that stored values need no change.

use std::collections::BTreeMap;

/// A kind as its text says it: `array(string)` is `array` of one nameless part.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Word(String),
    Of { head: String, parts: Vec<Kind> },
    Object(BTreeMap<String, (bool, Kind)>),
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// A quoted text, its quotes and escapes kept: it is only ever compared.
    fn quoted(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut at = 1;
        loop {
            match bytes.get(at)? {
                b'\\' => at += 2,
                b'"' => break,
                _ => at += 1,
            }
        }
        let (text, rest) = self.rest.split_at_checked(at + 1)?;
        self.rest = rest;
        Some(text)
    }

    fn kind(&mut self) -> Option<Kind> {
        if self.rest.starts_with('"') {
            return self.quoted().map(|text| Kind::Word(text.to_owned()));
        }
        let end = self.rest.find(['(', ')', ',']).unwrap_or(self.rest.len());
        let (head, rest) = self.rest.split_at_checked(end)?;
        if head.is_empty() {
            return None;
        }
        self.rest = rest;
        if self.take("(").is_none() {
            return Some(Kind::Word(head.to_owned()));
        }
        if head == "object" {
            return self.fields();
        }
        let mut parts = vec![self.kind()?];
        while self.take(", ").is_some() {
            parts.push(self.kind()?);
        }
        self.take(")")?;
        let head = head.to_owned();
        Some(Kind::Of { head, parts })
    }

    fn fields(&mut self) -> Option<Kind> {
        let mut fields = BTreeMap::new();
        if self.take(")").is_some() {
            return Some(Kind::Object(fields));
        }
        loop {
            let name = self.quoted()?.to_owned();
            let optional = self.take("?").is_some();
            self.take(": ")?;
            fields.insert(name, (optional, self.kind()?));
            if self.take(", ").is_none() {
                self.take(")")?;
                return Some(Kind::Object(fields));
            }
        }
    }
}

fn parse(text: &str) -> Option<Kind> {
    let mut reader = Reader { rest: text };
    let kind = reader.kind()?;
    reader.rest.is_empty().then_some(kind)
}

/// The kind that all literals of a text belong to.
fn literal_kind(text: &str) -> &'static str {
    match text {
        "true" | "false" => "boolean",
        _ if text.starts_with('"') => "string",
        _ if text.ends_with('n') => "bigint",
        _ => "number",
    }
}

fn accepts(wide: &Kind, narrow: &Kind) -> bool {
    if wide == narrow {
        return true;
    }
    match (wide, narrow) {
        (Kind::Word(word), _) if word == "any" => true,
        (_, Kind::Of { head, parts }) if head == "union" => parts.iter().all(|part| accepts(wide, part)),
        (Kind::Of { head, parts }, _) if head == "union" => parts.iter().any(|part| accepts(part, narrow)),
        (Kind::Word(word), Kind::Word(narrow)) => word == "number" && (narrow == "timestamp" || narrow == "date"),
        (Kind::Word(word), Kind::Of { head, parts }) => match (head.as_str(), parts.as_slice()) {
            ("id", _) => word == "string",
            ("literal", [Kind::Word(text)]) => word == literal_kind(text),
            _ => false,
        },
        (
            Kind::Of { head, parts },
            Kind::Of {
                head: other,
                parts: others,
            },
        ) => {
            (head == "array" || head == "record")
                && head == other
                && parts.len() == others.len()
                && parts.iter().zip(others).all(|(wide, narrow)| accepts(wide, narrow))
        }
        (Kind::Object(wide), Kind::Object(narrow)) => {
            // A field that is gone would be dropped from stored values: that is a loss, not a widening.
            narrow.keys().all(|name| wide.contains_key(name))
                && wide.iter().all(|(name, (optional, kind))| match narrow.get(name) {
                    None => *optional,
                    Some((was_optional, was)) => (*optional || !was_optional) && accepts(kind, was),
                })
        }
        _ => false,
    }
}

/// Whether stored values of the kind `before` are values of the kind `after`. A text that is not understood is
/// only like itself.
pub(super) fn is_widening(before: &str, after: &str) -> bool {
    match (parse(before), parse(after)) {
        (Some(before), Some(after)) => accepts(&after, &before),
        _ => before == after,
    }
}
