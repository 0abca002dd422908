//! The parts of a raw message and where they lie.
//!
//! Headers are read by `mail-parser`. The parts are found here, without recursion, and with every limit held before memory is
//! spent: the library itself nests a value in a value for each forwarded message, and overflows the stack for a
//! message of 3 MB that nests a hundred thousand of them.

use std::ops::Range;

use lunora_diagnostics::Diagnostic;
use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MessagePart};

use super::failure::{invalid, too_large};
use super::limits::{DEPTH, HEADER_BYTES, HEADER_LINES, MESSAGE_BYTES, PARTS};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

/// A part that holds no parts.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Lower case, for example `text/plain`.
    pub media_type: String,
    pub charset: Option<String>,
    pub name: Option<String>,
    pub content_id: Option<String>,
    pub is_attachment: bool,
    pub encoding: Encoding,
    /// Where its body lies in the raw message.
    pub body: Range<usize>,
}

/// What a part says about itself.
struct Described {
    leaf: Leaf,
    boundary: Option<Vec<u8>>,
}

/// Finds the end of the headers that begin at `range.start`, and the begin of what follows.
fn split_headers(raw: &[u8], range: &Range<usize>) -> Result<(Range<usize>, usize), Diagnostic> {
    let mut position = range.start;
    let mut lines = 0;
    while position < range.end {
        let end = line_end(raw, position, range.end);
        let line = trimmed(&raw[position..end]);
        if line.is_empty() {
            return Ok((range.start..position, end));
        }
        lines += 1;
        if lines > HEADER_LINES {
            return Err(too_large(format!(
                "a part of the message has more than {HEADER_LINES} header lines"
            )));
        }
        if end - range.start > HEADER_BYTES {
            return Err(too_large(format!(
                "the headers of a part of the message exceed {HEADER_BYTES} bytes"
            )));
        }
        position = end;
    }
    Ok((range.start..range.end, range.end))
}

/// One past the line that begins at `start`, its line feed included.
fn line_end(raw: &[u8], start: usize, limit: usize) -> usize {
    raw[start..limit]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(limit, |found| start + found + 1)
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n")
        .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Gives the headers to `read`, as the library understands them.
///
/// # Errors
/// `MAIL_INVALID` when it cannot make anything of them.
pub(crate) fn with_headers<T>(
    raw: &[u8],
    headers: Range<usize>,
    read: impl FnOnce(&Message<'_>) -> T,
) -> Result<T, Diagnostic> {
    let mut text = raw[headers].to_vec();
    text.extend_from_slice(b"\r\n\r\n");
    // Not our code and not our input: what it did not foresee must end this mail alone.
    let parsed = std::panic::catch_unwind(|| MessageParser::default().parse_headers(&text).map(Message::into_owned))
        .map_err(|_| invalid("the headers of a part of the message cannot be read"))?;
    let mut message = parsed.unwrap_or_default();
    if message.parts.is_empty() {
        // Without headers there is no part to ask for one.
        message.parts.push(MessagePart::default());
    }
    Ok(read(&message))
}

fn described(message: &Message<'_>, body: Range<usize>) -> Described {
    let content_type = message
        .header(HeaderName::ContentType)
        .and_then(HeaderValue::as_content_type);
    let disposition = message
        .header(HeaderName::ContentDisposition)
        .and_then(HeaderValue::as_content_type);
    let media_type = content_type.map_or_else(
        || "text/plain".to_owned(),
        |found| format!("{}/{}", found.ctype(), found.subtype().unwrap_or("plain")).to_ascii_lowercase(),
    );
    let attribute = |name: &str| content_type.and_then(|found| found.attribute(name)).map(str::to_owned);
    let name = disposition
        .and_then(|found| found.attribute("filename"))
        .map(str::to_owned)
        .or_else(|| attribute("name"));
    let encoding = match message
        .header(HeaderName::ContentTransferEncoding)
        .and_then(HeaderValue::as_text)
    {
        Some(text) if text.trim().eq_ignore_ascii_case("base64") => Encoding::Base64,
        Some(text) if text.trim().eq_ignore_ascii_case("quoted-printable") => Encoding::QuotedPrintable,
        _ => Encoding::Plain,
    };
    let boundary = media_type
        .starts_with("multipart/")
        .then(|| attribute("boundary"))
        .flatten()
        .filter(|text| !text.is_empty())
        .map(String::into_bytes);
    let content_id = message
        .header(HeaderName::ContentId)
        .and_then(HeaderValue::as_text)
        .map(str::to_owned);
    let is_text = media_type.starts_with("text/");
    Described {
        boundary,
        leaf: Leaf {
            is_attachment: disposition.is_some_and(mail_parser::ContentType::is_attachment)
                || (!is_text && content_id.is_none())
                || (is_text && name.is_some()),
            charset: attribute("charset"),
            media_type,
            name,
            content_id,
            encoding,
            body,
        },
    }
}

/// The parts between the delimiters of a multipart; none when it has no delimiter.
fn split_parts(raw: &[u8], body: &Range<usize>, boundary: &[u8], room: usize) -> Result<Vec<Range<usize>>, Diagnostic> {
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut position = body.start;
    while position < body.end {
        let end = line_end(raw, position, body.end);
        if let Some(rest) = trimmed(&raw[position..end])
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary))
        {
            let is_last = rest.starts_with(b"--");
            let blank = rest.strip_prefix(b"--").unwrap_or(rest).trim_ascii().is_empty();
            if blank {
                if let Some(start) = open.take() {
                    parts.push(start..before_line(raw, start, position));
                    if parts.len() > room {
                        return Err(too_large(format!("the message has more than {PARTS} parts")));
                    }
                }
                if is_last {
                    return Ok(parts);
                }
                open = Some(end);
            }
        }
        position = end;
    }
    // The last delimiter is missing: what there is counts.
    if let Some(start) = open {
        parts.push(start..body.end);
    }
    Ok(parts)
}

/// The line break before a delimiter belongs to the delimiter.
fn before_line(raw: &[u8], start: usize, position: usize) -> usize {
    let part = &raw[start..position];
    start + trimmed(part).len()
}

/// Where the message's own headers lie.
///
/// # Errors
/// `MAIL_TOO_LARGE`.
pub(crate) fn header_range(raw: &[u8]) -> Result<Range<usize>, Diagnostic> {
    Ok(split_headers(raw, &(0..raw.len()))?.0)
}

/// All parts of the message that hold no parts, in their order.
///
/// # Errors
/// `MAIL_TOO_LARGE` when a limit is exceeded, `MAIL_INVALID` when headers cannot be read.
pub(crate) fn leaves(raw: &[u8]) -> Result<Vec<Leaf>, Diagnostic> {
    if raw.len() > MESSAGE_BYTES {
        return Err(too_large(format!(
            "the message has {} bytes; {MESSAGE_BYTES} are allowed",
            raw.len()
        )));
    }
    let mut found = Vec::new();
    let mut parts = 1;
    let mut waiting = vec![(0..raw.len(), 0)];
    while let Some((range, depth)) = waiting.pop() {
        let (headers, body) = split_headers(raw, &range)?;
        let mut part = with_headers(raw, headers, |message| described(message, body..range.end))?;
        let inner = match part.boundary.take() {
            None => Vec::new(),
            Some(_) if depth >= DEPTH => {
                return Err(too_large(format!(
                    "the message nests multiparts more than {DEPTH} deep"
                )));
            }
            Some(boundary) => split_parts(raw, &part.leaf.body, &boundary, PARTS - parts)?,
        };
        parts += inner.len();
        if parts > PARTS {
            return Err(too_large(format!("the message has more than {PARTS} parts")));
        }
        if inner.is_empty() {
            found.push(part.leaf);
        } else {
            // The first is taken next.
            waiting.extend(inner.into_iter().rev().map(|range| (range, depth + 1)));
        }
    }
    Ok(found)
}
