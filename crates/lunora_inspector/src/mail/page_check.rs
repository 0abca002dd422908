//! What is wrong with a page, found without the sanitiser: by its tags, and by the text of its styles.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::message::Parsed;
use super::page::page;

/// What a browser would be given, tag by tag.
#[derive(Default)]
struct Tags(RefCell<Vec<Tag>>);

impl TokenSink for Tags {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
        {
            self.0.borrow_mut().push(tag);
        }
        TokenSinkResult::Continue
    }
}

/// What styles say that may do something: read as text, not as the sanitiser reads them.
fn style_faults(styles: &str, remote: bool) -> Vec<String> {
    let mut rest = styles.to_lowercase();
    while let Some(start) = rest.find("url(\"") {
        let address = rest[start + 5..].split('"').next().unwrap().to_owned();
        let is_own = ["png", "jpeg", "gif", "webp"].iter().any(|kind| {
            let bytes = address.strip_prefix(&format!("data:image/{kind};base64,"));
            bytes.is_some_and(|bytes| {
                bytes
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || "+/=".contains(one))
            })
        });
        let is_remote = remote && (address.starts_with("https://") || address.starts_with("http://"));
        if !is_own && !is_remote {
            return vec![format!("url of {address}")];
        }
        rest.replace_range(start..start + 5 + address.len(), "");
    }
    rest = rest
        .replace("@media ", "")
        .replace("!important", "")
        .replace("background-position:", "")
        .replace("a[href^=\"https://evil.example\"]", "");
    let wrong = "url http // @ < \\ expression import -set src( image( cross-fade element( paint( attr( var( env( if( \
                 behavior binding progid javascript font-face content position: animation transition filter mask --";
    wrong
        .split_whitespace()
        .filter(|part| rest.contains(part))
        .map(|part| format!("{part} in {styles:?}"))
        .collect()
}

/// What the page says that may do something.
pub(super) fn faults(page: &str, remote: bool) -> Vec<String> {
    let (head, rest) = page.split_once("<style>").unwrap();
    assert!(head.contains("default-src 'none'"));
    let (sheet, rest) = rest.split_once("</style").unwrap();
    let body = rest.strip_prefix("></head>").unwrap();
    let mut faults = style_faults(sheet, remote);
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(body));
    let tokenizer = Tokenizer::new(Tags::default(), TokenizerOpts::default());
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    let harmless = [
        "class",
        "id",
        "role",
        "align",
        "valign",
        "bgcolor",
        "color",
        "width",
        "height",
        "border",
        "cellpadding",
        "cellspacing",
        "dir",
        "lang",
        "title",
        "alt",
        "rel",
        "target",
        "name",
        "colspan",
        "rowspan",
        "face",
        "size",
        "open",
        "type",
    ];
    for tag in tokenizer.sink.0.into_inner() {
        if !"a b body br blockquote details div font i img ins p pre span table tbody td tr"
            .split(' ')
            .any(|one| one == &*tag.name)
        {
            faults.push(format!("<{}>", tag.name));
        }
        for attribute in &tag.attrs {
            let (name, value) = (&*attribute.name.local, &*attribute.value);
            let fine = match (&*tag.name, name) {
                ("a", "href") => ["http://", "https://", "mailto:", "tel:"]
                    .iter()
                    .any(|scheme| value.starts_with(scheme)),
                ("img", "src") => value.starts_with("data:image/png;base64,") || (remote && value.starts_with("http")),
                ("body" | "table" | "td" | "th", "background") => {
                    value.starts_with("data:image/png;base64,") || (remote && value.starts_with("http"))
                }
                (_, "style") => {
                    faults.extend(style_faults(value, remote));
                    true
                }
                _ => harmless.contains(&name),
            };
            if !fine {
                faults.push(format!("<{} {name}={value:?}>", tag.name));
            }
        }
    }
    faults
}

/// The page of a mail of this HTML.
pub(super) fn shown(html: &str, remote: bool) -> String {
    let raw = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}");
    page(&Parsed::of(raw.as_bytes()).unwrap(), remote).unwrap()
}

/// The page has no faults, and has none when it comes as a mail again.
pub(super) fn assert_harmless(html: &str) {
    for remote in [false, true] {
        let once = shown(html, remote);
        assert_eq!(faults(&once, remote), Vec::<String>::new(), "{html}\n{once}");
        // Once more as a browser would read it again: nothing comes to life.
        let (_, rest) = once.split_once("<style>").unwrap();
        let again = shown(&format!("<style>{rest}"), remote);
        assert_eq!(faults(&again, remote), Vec::<String>::new(), "{html}\n{again}");
    }
}

#[test]
fn the_check_of_payloads_finds_what_is_wrong() {
    for wrong in [
        "<script>",
        "<img src=x>",
        "<a href=javascript:x>",
        "<p onclick=x>",
        "<p style='background:url(x)'>",
        "<img src=https://a.example>",
        "<td background=https://a.example>",
    ] {
        let page = format!("default-src 'none'<style></style></head><body>{wrong}");
        assert_eq!(faults(&page, false).len(), 1, "{wrong}");
    }
    for wrong in [
        "a{background:url(\"https://a.example\")}",
        "a{background:url(\"data:image/svg+xml;base64,AA==\")}",
        "a{background:url('https:x')}",
        "a{background:url(\"data:image/png;base64,AA==\") url(x)}",
        "@import 'x'",
        "a{width:expression(1)}",
        "a{background:u\\72l(x)}",
        "a{font-family:\"<\"}",
    ] {
        let page = format!("default-src 'none'<style>{wrong}</style></head><body>");
        assert!(!faults(&page, false).is_empty(), "{wrong}");
    }
}
