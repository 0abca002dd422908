//! One pass over HTML as tokens: its links, its text, and what it would cost to build a tree of it.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::extract::push_link;
use super::style_sheet::StyleElement;

/// The text that is read at most, in bytes.
const TEXT_BYTES: usize = 256 * 1024;

/// What the pass found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Targets of links, in their order, each once.
    pub links: Vec<String>,
    /// What is shown, cut at 256 kB.
    pub text: String,
    /// The sum over all tags of how deep they lie. A tree costs time and memory in proportion to it, and some HTML
    /// makes it the square of its length.
    pub effort: u64,
    /// Elements that begin.
    pub elements: u64,
    /// The style sheets, in their order.
    pub styles: Vec<StyleElement>,
    /// Attributes of the first `body`.
    pub body: Vec<(String, String)>,
}

#[derive(Default)]
struct Sink {
    scan: RefCell<Scan>,
    open: RefCell<Vec<String>>,
    hidden: RefCell<Option<String>>,
    is_foreign: std::cell::Cell<bool>,
    /// What comes is the text of the last of the style sheets.
    is_style: std::cell::Cell<bool>,
}

/// Holds no children.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
];
/// The next of them closes it, so that leaving out the end makes nothing deeper.
const CLOSED_BY_NEXT: &[&str] = &[
    "p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "option", "html", "head", "body",
];
/// What it holds is no text of the mail.
const HIDDEN: &[&str] = &[
    "script", "style", "title", "noscript", "template", "iframe", "noembed", "noframes", "xmp",
];
/// Begins on a line of its own.
const BLOCK: &[&str] = &[
    "p",
    "div",
    "br",
    "tr",
    "td",
    "li",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "blockquote",
    "hr",
    "section",
];

/// The tokenizer reads what is in these as text, as a browser does.
fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "textarea" | "title" => Some(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "script" => Some(RawKind::ScriptData),
        _ => None,
    }
}

/// A `style` element that is of the language.
fn style_element(tag: &Tag) -> Option<StyleElement> {
    let attribute = |name: &str| {
        let found = tag.attrs.iter().find(|one| &*one.name.local == name);
        found.map_or("", |one| one.value.trim())
    };
    let language = attribute("type");
    (language.is_empty() || language.eq_ignore_ascii_case("text/css")).then(|| StyleElement {
        media: attribute("media").to_owned(),
        text: String::new(),
    })
}

impl Sink {
    fn start(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let mut scan = self.scan.borrow_mut();
        let mut open = self.open.borrow_mut();
        scan.effort += 1 + open.len() as u64;
        scan.elements += 1;
        if name == "svg" || name == "math" {
            self.is_foreign.set(true);
        }
        if name == "a" {
            let target = tag.attrs.iter().find(|attribute| &*attribute.name.local == "href");
            if let Some(target) = target.map(|attribute| attribute.value.trim()) {
                let lower = target.get(..8).unwrap_or(target).to_ascii_lowercase();
                if lower.starts_with("http://") || lower.starts_with("https://") {
                    push_link(&mut scan.links, target);
                }
            }
        }
        if BLOCK.contains(&name) && !scan.text.ends_with('\n') && self.hidden.borrow().is_none() {
            scan.text.push('\n');
        }
        if HIDDEN.contains(&name) && self.hidden.borrow().is_none() {
            *self.hidden.borrow_mut() = Some(name.to_owned());
            if name == "style"
                && let Some(style) = style_element(tag)
            {
                scan.styles.push(style);
                self.is_style.set(true);
            }
        }
        if name == "body" && scan.body.is_empty() {
            let attributes = tag.attrs.iter();
            scan.body = attributes
                .map(|one| (one.name.local.to_string(), one.value.to_string()))
                .collect();
        }
        let closes_itself = VOID.contains(&name) || (!self.is_foreign.get() && CLOSED_BY_NEXT.contains(&name));
        if !closes_itself {
            open.push(name.to_owned());
        }
        match raw_kind(name) {
            // Inside of SVG and MathML they are no raw text: taking them for it hides tags from the count, so there the
            // count goes on as if everything nested.
            Some(kind) if !self.is_foreign.get() => TokenSinkResult::RawData(kind),
            None if name == "plaintext" && !self.is_foreign.get() => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn end(&self, tag: &Tag) {
        let name = &*tag.name;
        let mut open = self.open.borrow_mut();
        // An end that does not fit closes nothing here: too deep a guess is safe, too shallow a one is not.
        if open.last().is_some_and(|last| last == name) {
            open.pop();
        }
        let mut hidden = self.hidden.borrow_mut();
        if hidden.as_deref() == Some(name) {
            *hidden = None;
            self.is_style.set(false);
        }
        if BLOCK.contains(&name) && !self.scan.borrow().text.ends_with('\n') {
            self.scan.borrow_mut().text.push('\n');
        }
    }

    fn characters(&self, text: &StrTendril) {
        let mut scan = self.scan.borrow_mut();
        scan.effort += self.open.borrow().len() as u64;
        if self.is_style.get()
            && let Some(style) = scan.styles.last_mut()
        {
            style.text.push_str(text);
        }
        if self.hidden.borrow().is_none() && scan.text.len() + text.len() <= TEXT_BYTES {
            scan.text.push_str(text);
        }
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.start(&tag),
            Token::TagToken(tag) => self.end(&tag),
            Token::CharacterTokens(text) => self.characters(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Reads all of it.
pub(crate) fn scan(html: &str) -> Scan {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let options = TokenizerOpts {
        initial_state: Some(State::Data),
        ..TokenizerOpts::default()
    };
    let tokenizer = Tokenizer::new(Sink::default(), options);
    // A script is never run, so where it ends nothing happens.
    while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.scan.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_text_are_those_that_are_shown() {
        let found = scan(
            "<title>t</title><style>a{}</style><p>Hello <b>you</b><br>Code: <i>123456</i></p><a href=' https://a.example/?a=1&amp;b=2 '>go</a><script>'<a href=https://b.example>'</script><a href='javascript:x'>no</a>",
        );
        assert_eq!(found.links, ["https://a.example/?a=1&b=2"]);
        assert_eq!(found.text.trim(), "Hello you\nCode: 123456\ngono");
    }

    #[test]
    fn styles_are_those_that_a_browser_would_apply() {
        let found = scan(
            "<head><style>a{}</style><style type='TEXT/CSS' media=' screen '>b{}<!--c{}--></style><style type=text/less>no</style></head>\
             <!--<style>no</style>--><title><style>no</style></title><body CLASS=x style='color:red'>\
             <template><style>no</style></template><textarea><style>no</style></textarea><body class=y><style>d{}",
        );
        let style = |media: &str, text: &str| StyleElement {
            media: media.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            found.styles,
            [style("", "a{}"), style("screen", "b{}<!--c{}-->"), style("", "d{}")]
        );
        let attribute = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found.body, [attribute("class", "x"), attribute("style", "color:red")]);
    }

    #[test]
    fn depth_costs_and_hidden_ends_do_not_help() {
        let flat = scan(&"<p>a<br>".repeat(1_000)).effort;
        assert!(flat < 10_000, "{flat}");
        for (name, one) in [
            ("nested", "<div>"),
            ("formatting", "<b class=x><p>"),
            ("wrong ends", "<div></span>"),
            ("ends in text", "<div><textarea></div></textarea>"),
            ("ends in comments", "<div><!--</div>-->"),
            ("ends in attributes", "<div title='</div>'>"),
        ] {
            let effort = scan(&one.repeat(1_000)).effort;
            assert!(effort > 400_000, "{name}: {effort}");
        }
        let foreign = scan(&format!("<svg>{}", "<tr>".repeat(1_000))).effort;
        assert!(foreign > 400_000, "{foreign}");
    }
}
