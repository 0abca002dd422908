//! A mail as a page of its own, for a frame that may do nothing.

use std::fmt::Write as _;
use std::sync::Arc;

use lunora_diagnostics::Diagnostic;

use super::failure::too_large;
use super::html_scan::scan;
use super::limits::HTML_BYTES;
use super::message::Parsed;
use super::pictures::Pictures;
use super::sanitise::{body_attributes, escaped, sanitise};
use super::style_sheet::style_sheet;

/// See [`Scan::effort`](super::html_scan::Scan::effort): about a second of work.
const MOST_EFFORT: u64 = 5_000_000;
/// Elements times selectors: what a browser may have to compare, one or two seconds of work.
const MOST_COMPARISONS: u64 = 5_000_000;

fn policy(remote: bool) -> String {
    let images = if remote { "data: https: http:" } else { "data:" };
    format!("default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'")
}

/// The policy that the page is served under. The page itself repeats what a page can say.
pub(crate) fn served_policy(remote: bool) -> String {
    format!("{}; sandbox; frame-ancestors 'self'", policy(remote))
}

/// What the page holds.
#[derive(Default)]
struct Content {
    style: String,
    body_attributes: String,
    body: String,
}

fn of_html(html: &str, mail: &Parsed<'_>, remote: bool) -> Result<Content, Diagnostic> {
    if html.len() > HTML_BYTES {
        let length = html.len();
        return Err(too_large(format!(
            "the HTML has {length} bytes; {HTML_BYTES} are shown"
        )));
    }
    let found = scan(html);
    if found.effort > MOST_EFFORT {
        return Err(too_large("the HTML nests elements too deeply to be shown"));
    }
    let pictures = Arc::new(Pictures::of(mail, remote));
    let sheet = style_sheet(&found.styles, &pictures);
    let (elements, selectors) = (found.elements, sheet.selectors);
    if elements.saturating_mul(selectors) > MOST_COMPARISONS {
        return Err(too_large(format!(
            "the style sheets have {selectors} selectors for {elements} elements, which no browser compares in time"
        )));
    }
    Ok(Content {
        style: sheet.text,
        body_attributes: body_attributes(&found.body, &pictures),
        body: sanitise(html, pictures),
    })
}

/// The page: the sanitised HTML of the mail, or its text.
///
/// # Errors
/// `MAIL_TOO_LARGE` when the HTML is larger or deeper than can be shown.
pub(crate) fn page(mail: &Parsed<'_>, remote: bool) -> Result<String, Diagnostic> {
    let content = match (mail.html(), mail.text()) {
        (Some(html), _) => of_html(&html, mail, remote)?,
        (None, Some(text)) if text.len() > HTML_BYTES => {
            return Err(too_large(format!(
                "the text has {} bytes; {HTML_BYTES} are shown",
                text.len()
            )));
        }
        (None, Some(text)) => Content {
            body: format!("<pre style=\"white-space:pre-wrap\">{}</pre>", escaped(&text)),
            ..Content::default()
        },
        (None, None) => Content::default(),
    };
    let mut page = String::with_capacity(content.body.len() + content.style.len() + 512);
    let _ = write!(
        page,
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Mail</title><style>{}</style></head><body{}>{}</body></html>",
        policy(remote),
        content.style,
        content.body_attributes,
        content.body
    );
    Ok(page)
}
