//! A mail as a page of its own, for a frame that may do nothing.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lunora_diagnostics::Diagnostic;

use super::failure::too_large;
use super::html_scan::scan;
use super::limits::HTML_BYTES;
use super::message::Parsed;
use super::sanitise::{InlineImages, is_picture, sanitise};

/// See [`Scan::effort`](super::html_scan::Scan::effort): about a second of work.
const MOST_EFFORT: u64 = 5_000_000;
/// Bytes of pictures that are written into the page.
const PICTURE_BYTES: usize = 10 * 1024 * 1024;

fn policy(remote: bool) -> String {
    let images = if remote { "data: https: http:" } else { "data:" };
    format!("default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'")
}

/// The policy that the page is served under. The page itself repeats what a page can say.
pub(crate) fn served_policy(remote: bool) -> String {
    format!("{}; sandbox; frame-ancestors 'self'", policy(remote))
}

fn images(mail: &Parsed<'_>) -> InlineImages {
    let mut images = InlineImages::new();
    let mut room = PICTURE_BYTES;
    for leaf in &mail.leaves {
        let Some(id) = leaf.content_id.as_deref() else { continue };
        if !is_picture(&leaf.media_type) || leaf.body.len() > room {
            continue;
        }
        room -= leaf.body.len();
        let bytes = mail.bytes(leaf);
        images.insert(
            id.trim_matches(['<', '>']).to_owned(),
            format!("data:{};base64,{}", leaf.media_type, STANDARD.encode(bytes)),
        );
    }
    images
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(one),
        }
    }
    safe
}

/// The page: the sanitised HTML of the mail, or its text.
///
/// # Errors
/// `MAIL_TOO_LARGE` when the HTML is larger or deeper than can be shown.
pub(crate) fn page(mail: &Parsed<'_>, remote: bool) -> Result<String, Diagnostic> {
    let content = match (mail.html(), mail.text()) {
        (Some(html), _) => {
            if html.len() > HTML_BYTES {
                return Err(too_large(format!(
                    "the HTML has {} bytes; {HTML_BYTES} are shown",
                    html.len()
                )));
            }
            let effort = scan(&html).effort;
            if effort > MOST_EFFORT {
                return Err(too_large("the HTML nests elements too deeply to be shown"));
            }
            sanitise(&html, images(mail), remote)
        }
        (None, Some(text)) if text.len() > HTML_BYTES => {
            return Err(too_large(format!(
                "the text has {} bytes; {HTML_BYTES} are shown",
                text.len()
            )));
        }
        (None, Some(text)) => format!("<pre style=\"white-space:pre-wrap\">{}</pre>", escaped(&text)),
        (None, None) => String::new(),
    };
    let mut page = String::with_capacity(content.len() + 512);
    let _ = write!(
        page,
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Mail</title></head><body>{content}</body></html>",
        policy(remote)
    );
    Ok(page)
}
