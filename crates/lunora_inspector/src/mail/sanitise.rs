//! The HTML of a mail without what runs, and without what asks others for anything.
//!
//! The page that holds it forbids the same once more, by its policy and its sandbox; neither relies on the other.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};

use super::allowed::{EVERYWHERE, PROPERTIES, REFERENCES, TAGS};

/// Pictures that a part of the same mail holds, by content id: `data:` addresses.
pub(crate) type InlineImages = HashMap<String, String>;

/// Leaves the declarations that refer to nothing.
fn style(value: &str) -> String {
    value
        .split(';')
        .filter(|declaration| {
            let lower = declaration.to_lowercase();
            declaration.contains(':') && !REFERENCES.iter().any(|part| lower.contains(part))
        })
        .collect::<Vec<_>>()
        .join(";")
}

/// Pictures that are only pixels: SVG can hold anything.
pub(crate) fn is_picture(media_type: &str) -> bool {
    ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&media_type)
}

/// White space and control characters are no part of an address, to a browser.
fn address(value: &str) -> String {
    value
        .chars()
        .filter(|one| !one.is_control() && !one.is_whitespace())
        .collect()
}

fn scheme(address: &str) -> String {
    address
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase())
        .unwrap_or_default()
}

fn picture(value: &str, images: &InlineImages, remote: bool) -> Option<String> {
    let target = address(value);
    match scheme(&target).as_str() {
        "cid" => images.get(target.get(4..)?.trim_matches(['<', '>'])).cloned(),
        "data" => {
            let (media_type, _) = target.get(5..)?.split_once(";base64,")?;
            is_picture(&media_type.to_ascii_lowercase()).then_some(target)
        }
        "http" | "https" if remote => Some(target),
        _ => None,
    }
}

/// The HTML that may be shown. Pictures of other servers are in it only when `remote` says so.
pub(crate) fn sanitise(html: &str, images: InlineImages, remote: bool) -> String {
    let set = |list: &[&'static str]| list.iter().copied().collect::<HashSet<&'static str>>();
    let attributes = HashMap::from([
        ("a", set(&["href", "name"])),
        ("img", set(&["src", "alt"])),
        ("td", set(&["colspan", "rowspan"])),
        ("th", set(&["colspan", "rowspan", "scope"])),
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
        .filter_style_properties(set(PROPERTIES))
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            (_, "style") => Some(Cow::Owned(style(value))),
            ("img", "src") => picture(value, &images, remote).map(Cow::Owned),
            ("a", "href") => {
                let target = address(value);
                ["http", "https", "mailto", "tel"]
                    .contains(&scheme(&target).as_str())
                    .then_some(Cow::Owned(target))
            }
            _ => Some(value.into()),
        })
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mails_are_made_of_stays() {
        let html = "<table bgcolor=\"#fff\" width=\"600\"><tr><td style=\"color:red; background:#eee;padding:4px\"><a href=\"https://a.example/\">Go</a></td></tr></table>";
        let shown = sanitise(html, InlineImages::new(), false);
        for part in [
            "bgcolor=\"#fff\"",
            "color:red",
            "background:#eee",
            "padding:4px",
            "https://a.example/",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn pictures_of_the_mail_are_shown_and_those_of_others_when_asked() {
        let images = InlineImages::from([("logo@x".to_owned(), "data:image/png;base64,AA==".to_owned())]);
        let html = "<img src=\"cid:logo@x\"><img src=\"cid:other\"><img src=\"https://track.example/1.gif\">";
        let shown = sanitise(html, images.clone(), false);
        assert!(
            shown.contains("data:image/png;base64,AA==") && !shown.contains("track.example"),
            "{shown}"
        );
        assert!(sanitise(html, images, true).contains("https://track.example/1.gif"));
    }
}
