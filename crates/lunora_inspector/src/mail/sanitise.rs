//! The HTML of a mail without what runs, and without what asks others for anything.
//!
//! The page that holds it forbids the same once more, by its policy and its sandbox; neither relies on the other.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use ammonia::{Builder, UrlRelative};

use super::allowed::{EVERYWHERE, TAGS};
use super::pictures::{Pictures, bare_address, scheme};
use super::style_declarations::declarations;
use super::style_text::reader;

fn style(value: &str, pictures: &Pictures) -> Option<String> {
    let kept = declarations(&mut reader(value), pictures);
    (!kept.is_empty()).then_some(kept)
}

/// Of the `body`, the page's own.
const OF_BODY: &[&str] = &["class", "id", "dir", "lang", "bgcolor", "text"];

/// The attributes of the mail's `body` that may stay, each with a space before it.
pub(crate) fn body_attributes(attributes: &[(String, String)], pictures: &Pictures) -> String {
    let mut kept = String::new();
    for (name, value) in attributes {
        let value = match name.as_str() {
            "style" => style(value, pictures),
            "background" => pictures.shown(value),
            name if OF_BODY.contains(&name) => Some(value.clone()),
            _ => None,
        };
        if let Some(value) = value {
            let _ = write!(kept, " {name}=\"{}\"", escaped(&value));
        }
    }
    kept
}

/// A text as HTML has it.
pub(crate) fn escaped(text: &str) -> String {
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

/// The HTML that may be shown, without its style sheets.
pub(crate) fn sanitise(html: &str, pictures: Arc<Pictures>) -> String {
    let set = |list: &[&'static str]| list.iter().copied().collect::<HashSet<&'static str>>();
    let attributes = HashMap::from([
        ("a", set(&["href", "name"])),
        ("img", set(&["src", "alt"])),
        ("table", set(&["background"])),
        ("td", set(&["colspan", "rowspan", "background"])),
        ("th", set(&["colspan", "rowspan", "scope", "background"])),
        ("col", set(&["span"])),
        ("colgroup", set(&["span"])),
        ("font", set(&["face", "size"])),
        ("ol", set(&["start", "type", "reversed"])),
        ("ul", set(&["type"])),
        ("li", set(&["value", "type"])),
        ("details", set(&["open"])),
    ]);
    Builder::empty()
        .tags(set(TAGS))
        .clean_content_tags(set(&[
            "script", "style", "title", "template", "noscript", "iframe", "object", "textarea", "select",
        ]))
        .tag_attributes(attributes)
        .generic_attributes(set(EVERYWHERE))
        .url_schemes(set(&["http", "https", "mailto", "tel", "cid", "data"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            (_, "style") => style(value, &pictures).map(Cow::Owned),
            ("img", "src") | (_, "background") => pictures.shown(value).map(Cow::Owned),
            ("a", "href") => {
                let target = bare_address(value);
                ["http", "https", "mailto", "tel"]
                    .contains(&scheme(&target).as_str())
                    .then_some(Cow::Owned(target))
            }
            _ => Some(value.into()),
        })
        .clean(html)
        .to_string()
}
