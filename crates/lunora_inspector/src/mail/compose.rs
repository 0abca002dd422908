//! Mail that was described in JSON, as the message that a provider would send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lunora_diagnostics::Diagnostic;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use serde::Deserialize;

use super::failure::{invalid, too_large};
use super::limits::{HEADER_BYTES, HEADER_LINES, MESSAGE_BYTES, PARTS, RECIPIENTS};

/// An address: `a@b.c`, `Name <a@b.c>`, or its two halves.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum MailAddress {
    /// As people write it.
    Text(String),
    /// Its halves.
    Named {
        /// The address itself.
        #[serde(alias = "address")]
        email: String,
        /// Whose it is.
        #[serde(default)]
        name: Option<String>,
    },
}

/// One address or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum MailAddresses {
    /// One.
    One(MailAddress),
    /// Several.
    List(Vec<MailAddress>),
}

impl Default for MailAddresses {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// A file that goes with a mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailAttachment {
    /// Its file name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its media type.
    #[serde(rename = "type", default)]
    pub media_type: Option<String>,
    /// Its bytes, base64.
    pub content: String,
    /// What the HTML names it by.
    #[serde(default)]
    pub content_id: Option<String>,
}

/// A mail, as the capture transport describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailDescription {
    /// Who sends it.
    pub from: MailAddress,
    /// Who gets it.
    #[serde(default)]
    pub to: MailAddresses,
    /// Who else gets it.
    #[serde(default)]
    pub cc: MailAddresses,
    /// Who else gets it, unseen by the others.
    #[serde(default)]
    pub bcc: MailAddresses,
    /// Where answers go.
    #[serde(default)]
    pub reply_to: MailAddresses,
    /// What it is about.
    #[serde(default)]
    pub subject: String,
    /// Its text.
    #[serde(default)]
    pub text: Option<String>,
    /// Its HTML.
    #[serde(default)]
    pub html: Option<String>,
    /// Further headers by name.
    #[serde(default)]
    pub headers: serde_json::Map<String, serde_json::Value>,
    /// Files.
    #[serde(default)]
    pub attachments: Vec<MailAttachment>,
    /// The region whose data it holds.
    #[serde(default)]
    pub region: Option<String>,
    /// The call that sent it.
    #[serde(default)]
    pub call: Option<String>,
    /// The function that sent it.
    #[serde(default)]
    pub function_path: Option<String>,
}

/// A line break in a header begins another header.
fn header_text<'text>(what: &str, text: &'text str) -> Result<&'text str, Diagnostic> {
    if text.len() > HEADER_BYTES {
        return Err(too_large(format!("{what} exceeds {HEADER_BYTES} bytes")));
    }
    match text.chars().find(|one| one.is_control() && *one != '\t') {
        None => Ok(text),
        Some(found) => Err(invalid(format!(
            "{what} holds the control character `{}`",
            found.escape_debug()
        ))),
    }
}

impl MailAddress {
    /// Name and address.
    fn halves(&self) -> Result<(Option<&str>, &str), Diagnostic> {
        let (name, address) = match self {
            Self::Named { email, name } => (name.as_deref(), email.trim()),
            Self::Text(text) => match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
                Some((name, address)) => (Some(name.trim().trim_matches('"')), address.trim()),
                None => (None, text.trim()),
            },
        };
        header_text("an address", address)?;
        if let Some(name) = name {
            header_text("the name of an address", name)?;
        }
        let has_halves = address
            .rsplit_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
        if !has_halves || address.contains(|one: char| one.is_whitespace() || "<>,;".contains(one)) {
            return Err(invalid(format!("`{address}` is not an address")));
        }
        Ok((name.filter(|name| !name.is_empty()), address))
    }

    fn built(&self) -> Result<Address<'_>, Diagnostic> {
        let (name, address) = self.halves()?;
        Ok(Address::new_address(name, address))
    }

    /// As people write it.
    pub(crate) fn shown(&self) -> Result<String, Diagnostic> {
        let (name, address) = self.halves()?;
        Ok(name.map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>")))
    }
}

impl MailAddresses {
    pub(crate) fn as_slice(&self) -> &[MailAddress] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::List(list) => list,
        }
    }

    fn built(&self) -> Result<Option<Address<'_>>, Diagnostic> {
        let list = self
            .as_slice()
            .iter()
            .map(MailAddress::built)
            .collect::<Result<Vec<_>, _>>()?;
        Ok((!list.is_empty()).then(|| Address::new_list(list)))
    }
}

/// Headers that describe the message's form are made, not given.
fn is_ours(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("content-")
        || ["from", "to", "cc", "bcc", "reply-to", "subject", "mime-version"].contains(&lower.as_str())
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"[]?={}".contains(&byte))
}

fn is_media_type(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(kind, rest)| is_token(kind) && is_token(rest.split(';').next().unwrap_or_default().trim()))
        && !text.to_ascii_lowercase().starts_with("multipart/")
}

fn attachment(one: &MailAttachment) -> Result<MimePart<'_>, Diagnostic> {
    let name = one.name.as_deref().unwrap_or("attachment");
    header_text("the name of an attachment", name)?;
    let media_type = one.media_type.as_deref().unwrap_or("application/octet-stream");
    if header_text("the type of an attachment", media_type).is_err() || !is_media_type(media_type) {
        return Err(invalid(format!(
            "`{media_type}` of the attachment `{name}` is not a media type"
        )));
    }
    let bytes = STANDARD
        .decode(one.content.trim())
        .map_err(|error| invalid(format!("the content of the attachment `{name}` is not base64: {error}")))?;
    // The bytes are the file, also where they are text.
    let part = MimePart::new(
        media_type.split(';').next().unwrap_or(media_type).trim().to_owned(),
        BodyPart::Binary(bytes.into()),
    );
    Ok(match one.content_id.as_deref() {
        None => part.attachment(name),
        Some(id) => {
            let id = header_text("a content id", id)?.trim_matches(['<', '>']);
            if id.is_empty() || id.contains([' ', '<', '>']) {
                return Err(invalid(format!("`{id}` is not a content id")));
            }
            part.inline().cid(id)
        }
    })
}

fn attachments(list: Vec<&MailAttachment>) -> Result<Vec<MimePart<'_>>, Diagnostic> {
    list.into_iter().map(attachment).collect()
}

fn body(mail: &MailDescription) -> Result<MimePart<'_>, Diagnostic> {
    let text = mail.text.as_deref().map(|text| MimePart::new("text/plain", text));
    let html = mail.html.as_deref().map(|html| MimePart::new("text/html", html));
    let (inline, files): (Vec<_>, Vec<_>) = mail.attachments.iter().partition(|one| one.content_id.is_some());
    let inline = attachments(inline)?;
    let html = match html {
        Some(html) if !inline.is_empty() => {
            let mut related = vec![html];
            related.extend(inline);
            Some(MimePart::new("multipart/related", related))
        }
        Some(html) => Some(html),
        None if inline.is_empty() => None,
        None => Some(MimePart::new("multipart/mixed", inline)),
    };
    let content = match (text, html) {
        (Some(text), Some(html)) => MimePart::new("multipart/alternative", vec![text, html]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => MimePart::new("text/plain", ""),
    };
    let files = attachments(files)?;
    if files.is_empty() {
        return Ok(content);
    }
    let mut mixed = vec![content];
    mixed.extend(files);
    Ok(MimePart::new("multipart/mixed", mixed))
}

/// The message. `at` is in milliseconds since the epoch, `message_id` without its angle brackets. `bcc` is not in it, as
/// in what recipients get.
///
/// # Errors
/// `MAIL_INVALID`, `MAIL_TOO_LARGE`.
pub(crate) fn compose(mail: &MailDescription, at: u64, message_id: &str) -> Result<Vec<u8>, Diagnostic> {
    let lists = [&mail.to, &mail.cc, &mail.bcc, &mail.reply_to];
    if lists.iter().map(|list| list.as_slice().len()).sum::<usize>() > RECIPIENTS {
        return Err(too_large(format!("the mail has more than {RECIPIENTS} recipients")));
    }
    if mail.to.as_slice().is_empty() && mail.cc.as_slice().is_empty() && mail.bcc.as_slice().is_empty() {
        return Err(invalid("the mail has no recipient"));
    }
    if mail.attachments.len() + 8 > PARTS {
        return Err(too_large(format!(
            "a mail with {} attachments has more than {PARTS} parts",
            mail.attachments.len()
        )));
    }
    if mail.headers.len() + 16 > HEADER_LINES {
        return Err(too_large(format!("the mail has more than {HEADER_LINES} headers")));
    }
    mail.bcc.built()?;
    let mut builder = MessageBuilder::new()
        .from(mail.from.built()?)
        .subject(header_text("the subject", &mail.subject)?);
    for (name, list) in [("To", &mail.to), ("Cc", &mail.cc), ("Reply-To", &mail.reply_to)] {
        if let Some(built) = list.built()? {
            builder = builder.header(name, built);
        }
    }
    let (mut has_date, mut has_id) = (false, false);
    for (name, value) in &mail.headers {
        if !is_token(name) {
            return Err(invalid(format!(
                "`{}` is not the name of a header",
                name.escape_debug()
            )));
        }
        let text = value
            .as_str()
            .ok_or_else(|| invalid(format!("the header `{name}` is not a text")))?;
        let text = header_text(&format!("the header `{name}`"), text)?;
        if is_ours(name) {
            return Err(invalid(format!("the header `{name}` is made from the mail itself")));
        }
        has_date |= name.eq_ignore_ascii_case("date");
        has_id |= name.eq_ignore_ascii_case("message-id");
        builder = if text.is_ascii() {
            builder.header(name.as_str(), Raw::new(text))
        } else {
            builder.header(name.as_str(), Text::new(text))
        };
    }
    if !has_id {
        builder = builder.message_id(message_id);
    }
    if !has_date {
        builder = builder.date(Date::new(i64::try_from(at / 1000).unwrap_or(i64::MAX)));
    }
    // Those that the library would add for want of its own spelling stand there already.
    let mut raw = Vec::new();
    builder
        .body(body(mail)?)
        .write_to(&mut raw)
        .map_err(|error| invalid(format!("the message cannot be built: {error}")))?;
    if raw.len() > MESSAGE_BYTES {
        return Err(too_large(format!(
            "the message has {} bytes; {MESSAGE_BYTES} are allowed",
            raw.len()
        )));
    }
    Ok(raw)
}
