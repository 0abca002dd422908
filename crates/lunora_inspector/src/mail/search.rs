//! The search of the inbox: `from:`, `to:`, `subject:`, `has:attachment`, `is:unread`, and words.

use super::record::Record;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    From(String),
    To(String),
    Subject(String),
    HasAttachment,
    IsRead(bool),
    Word(String),
}

/// Terms that a mail has to meet, all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Search(Vec<Term>);

/// Splits at white space outside of double quotes, and leaves the quotes out.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for one in text.chars() {
        match one {
            '"' => quoted = !quoted,
            one if one.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            one => word.push(one),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

impl Search {
    /// Every text is a search; what is no term of ours is a word.
    pub(crate) fn of(text: &str) -> Self {
        let term = |word: String| {
            let lower = word.to_lowercase();
            match lower.split_once(':') {
                Some(("from", value)) if !value.is_empty() => Term::From(value.to_owned()),
                Some(("to", value)) if !value.is_empty() => Term::To(value.to_owned()),
                Some(("subject", value)) if !value.is_empty() => Term::Subject(value.to_owned()),
                Some(("has", "attachment")) => Term::HasAttachment,
                Some(("is", "unread")) => Term::IsRead(false),
                Some(("is", "read")) => Term::IsRead(true),
                _ => Term::Word(lower),
            }
        };
        Self(words(text).into_iter().map(term).collect())
    }

    pub(crate) fn finds(&self, record: &Record) -> bool {
        let mail = &record.summary;
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        let goes_to = |part: &str| mail.to.iter().chain(&record.bcc).any(|one| has(one, part));
        self.0.iter().all(|term| match term {
            Term::From(part) => has(&mail.from, part),
            Term::To(part) => goes_to(part),
            Term::Subject(part) => has(&mail.subject, part),
            Term::HasAttachment => mail.attachments > 0,
            Term::IsRead(wanted) => mail.is_read == *wanted,
            Term::Word(part) => {
                has(&mail.subject, part) || has(&mail.from, part) || goes_to(part) || has(&record.excerpt, part)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Direction, MailSummary};
    use super::*;

    #[test]
    fn every_term_has_to_hold() {
        let record = Record {
            summary: MailSummary {
                id: "1".to_owned(),
                at: 1,
                from: "Shop <shop@a.example>".to_owned(),
                to: vec!["ann@b.example".to_owned()],
                subject: "Your order: shipped".to_owned(),
                is_read: false,
                size: 1,
                attachments: 1,
                direction: Direction::Sent,
                call: None,
                function_path: None,
                region: None,
                caused_by: None,
                outcome: None,
            },
            bcc: vec!["log@c.example".to_owned()],
            excerpt: "Track it today".to_owned(),
        };
        for (text, found) in [
            ("", true),
            ("  ", true),
            ("from:SHOP", true),
            ("from:ann", false),
            ("to:ann@b.example", true),
            ("to:log", true),
            ("subject:\"order: shipped\"", true),
            ("subject:shipped today", true),
            ("has:attachment is:unread", true),
            ("is:read", false),
            ("today track", true),
            ("tomorrow", false),
            ("from:", false),
            ("has:nothing", false),
            ("\"", true),
        ] {
            assert_eq!(Search::of(text).finds(&record), found, "{text}");
        }
    }
}
