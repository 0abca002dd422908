//! A raw message, read.

use std::borrow::Cow;

use lunora_diagnostics::Diagnostic;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Address, HeaderName, HeaderValue, Message};
use serde::Serialize;

use super::structure::{Encoding, Leaf, header_range, leaves, with_headers};

/// One part, as the inbox shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartSummary {
    /// Its number, from 0.
    pub index: usize,
    /// Its media type, lower case.
    #[serde(rename = "type")]
    pub media_type: String,
    /// The file name it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes, decoded.
    pub size: usize,
    /// What HTML names it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// It is shown as a file, and not as the text of the mail.
    pub is_attachment: bool,
}

/// The header fields that people look at, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub from: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub subject: String,
    pub message_id: Option<String>,
}

/// A raw message and its parts.
pub(crate) struct Parsed<'raw> {
    raw: &'raw [u8],
    pub leaves: Vec<Leaf>,
    pub envelope: Envelope,
    /// Names and values as they were sent, unfolded.
    pub headers: Vec<(String, String)>,
}

fn addresses(value: Option<&HeaderValue<'_>>) -> Vec<String> {
    value
        .and_then(HeaderValue::as_address)
        .map(|list: &Address<'_>| {
            list.iter()
                .filter_map(|one| {
                    let address = one.address()?;
                    Some(match one.name() {
                        Some(name) if !name.is_empty() => format!("{name} <{address}>"),
                        _ => address.to_owned(),
                    })
                })
                .collect()
        })
        .unwrap_or_default()
}

fn envelope(message: &Message<'_>) -> Envelope {
    let list = |name: HeaderName<'static>| addresses(message.header(name));
    Envelope {
        from: list(HeaderName::From).into_iter().next().unwrap_or_default(),
        to: list(HeaderName::To),
        cc: list(HeaderName::Cc),
        bcc: list(HeaderName::Bcc),
        reply_to: list(HeaderName::ReplyTo),
        subject: message.subject().unwrap_or_default().to_owned(),
        message_id: message.message_id().map(str::to_owned),
    }
}

fn unfolded(value: &str) -> String {
    value
        .split(['\r', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

impl<'raw> Parsed<'raw> {
    /// # Errors
    /// `MAIL_TOO_LARGE`, `MAIL_INVALID`.
    pub(crate) fn of(raw: &'raw [u8]) -> Result<Self, Diagnostic> {
        let leaves = leaves(raw)?;
        let (envelope, headers) = with_headers(raw, header_range(raw)?, |message| {
            let headers = message
                .headers_raw()
                .map(|(name, value)| (name.to_owned(), unfolded(value)))
                .collect();
            (envelope(message), headers)
        })?;
        Ok(Self {
            raw,
            leaves,
            envelope,
            headers,
        })
    }

    /// The decoded bytes of a part. What cannot be decoded is given as it stands.
    pub(crate) fn bytes(&self, leaf: &Leaf) -> Cow<'raw, [u8]> {
        let body = &self.raw[leaf.body.clone()];
        let decoded = match leaf.encoding {
            Encoding::Plain => None,
            Encoding::Base64 => base64_decode(body),
            Encoding::QuotedPrintable => quoted_printable_decode(body),
        };
        decoded.map_or(Cow::Borrowed(body), Cow::Owned)
    }

    fn text_of(&self, leaf: &Leaf) -> String {
        let bytes = self.bytes(leaf);
        match leaf
            .charset
            .as_deref()
            .and_then(|name| charset_decoder(name.as_bytes()))
        {
            Some(decode) => decode(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn body(&self, media_type: &str) -> Option<String> {
        let leaf = self
            .leaves
            .iter()
            .find(|leaf| leaf.media_type == media_type && !leaf.is_attachment)?;
        Some(self.text_of(leaf))
    }

    /// The text that is read where HTML is not.
    pub(crate) fn text(&self) -> Option<String> {
        self.body("text/plain")
    }

    pub(crate) fn html(&self) -> Option<String> {
        self.body("text/html")
    }

    pub(crate) fn parts(&self) -> Vec<PartSummary> {
        self.leaves
            .iter()
            .enumerate()
            .map(|(index, leaf)| PartSummary {
                index,
                media_type: leaf.media_type.clone(),
                name: leaf.name.clone(),
                size: self.bytes(leaf).len(),
                content_id: leaf.content_id.clone(),
                is_attachment: leaf.is_attachment,
            })
            .collect()
    }

    /// How many files come with it.
    pub(crate) fn attachments(&self) -> usize {
        self.leaves.iter().filter(|leaf| leaf.is_attachment).count()
    }
}
