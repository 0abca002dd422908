//! Styles: those that want to ask, to escape or to cost too much, and those of a real newsletter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lunora_diagnostics::codes;

use super::message::Parsed;
use super::page::page;
use super::page_check::{assert_harmless, faults};

#[test]
fn no_style_asks_or_escapes() {
    let payloads: Vec<&str> = include_str!("../../tests/payloads/mail-css.txt").lines().collect();
    assert!(payloads.len() >= 100, "{}", payloads.len());
    for payload in payloads {
        let inner = payload.split_once('{').map_or(payload, |(_, inner)| inner);
        let quoted = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
        for form in [
            format!("<style>{payload}</style><a class=x>x</a>"),
            format!("<head><style type=text/css>b{{color:red}}\n{payload}"),
            format!("<style>@media screen{{{payload}}}</style>"),
            format!("<style>b{{color:red;{payload}}}</style>"),
            format!("<style>b{{{inner}</style>"),
            format!("<style media=\"{}\">a{{color:red}}</style>", quoted(payload)),
            format!("<style media=\"screen{{}}{}\">a{{color:red}}</style>", quoted(payload)),
            format!("<svg><style>{payload}</style></svg><p>x"),
            format!("<div style=\"{}\">x</div>", quoted(inner)),
            format!(
                "<body style=\"color:red;{}\" class=\"{0}\" background=\"{0}\">x",
                quoted(inner)
            ),
        ] {
            assert_harmless(&form);
        }
    }
}

#[test]
fn a_newsletter_keeps_its_looks() {
    let html = include_str!("../../tests/payloads/newsletter.html");
    let raw = format!(
        "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: image/png\r\nContent-ID: <logo@news>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--"
    );
    let parsed = Parsed::of(raw.as_bytes()).unwrap();
    let near = page(&parsed, false).unwrap();
    assert_eq!(faults(&near, false), Vec::<String>::new(), "{near}");
    let (_, rest) = near.split_once("<style>").unwrap();
    let (sheet, body) = rest.split_once("</style></head>").unwrap();
    let logo = "url(\"data:image/png;base64,iVBORw0KGgo=\")";
    assert_eq!(
        sheet,
        format!(
            r#":root{{color-scheme:light dark}}
body, #body{{margin:0 !important;padding:0;background-color:#f4f4f7;-webkit-text-size-adjust:100%}}
a[x-apple-data-detectors]{{color:inherit !important}}
.hero > td:first-child{{background:#14213d none center / cover no-repeat}}
.logo{{background-image:{logo};width:120px}}
.button, a.button:hover{{border-radius:6px;background:linear-gradient(rgba(10, 20, 30, 0.8), #fff)}}
u + .wide *{{font:bold 14px/1.5 "Inter", Arial, sans-serif}}
li:nth-child(2n+1):not(.last){{color:hsl(210 40% 50%)}}
@media only screen and (max-width: 600px){{.wide{{width:100% !important;display:block !important}}
}}
@media (prefers-color-scheme: dark){{.wide{{background:#000 !important;color:#eee}}
@media (min-width: 40em) and (orientation: landscape){{.wide{{padding:calc(1em + 2px) 0}}
}}
}}
"#
        )
    );
    for part in [
        "<body class=\"news\" id=\"body\" bgcolor=\"#f4f4f7\" style=\"margin:0;background-image:none\">",
        "<table class=\"wide\" role=\"presentation\">",
        "<td background=\"data:image/png;base64,iVBORw0KGgo=\">",
        "<a class=\"button\" href=\"https://news.example/read\"",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let far = page(&parsed, true).unwrap();
    assert!(
        far.contains("#14213d url(\"https://news.example/hero.png\") center / cover"),
        "{far}"
    );
    assert!(
        far.contains("url(&quot;https://news.example/paper.png&quot;)") && !far.contains("fonts.example"),
        "{far}"
    );
}

#[test]
fn a_page_stays_small_and_its_styles_can_be_compared() {
    let refused = |html: String| {
        let raw = format!("Content-Type: text/html\r\n\r\n{html}");
        page(&Parsed::of(raw.as_bytes()).unwrap(), false)
            .err()
            .map(|error| error.code)
    };
    let elements = "<p>".repeat(20_000);
    assert_eq!(
        refused(format!("<style>{}</style>{elements}", "p{gap:0}".repeat(200))),
        None
    );
    for rules in ["p{gap:0}".repeat(300), format!("{}p{{gap:0}}", "p,".repeat(300))] {
        let code = refused(format!("<style>{rules}</style>{elements}"));
        assert_eq!(code, Some(codes::MAIL_TOO_LARGE));
    }
    // A picture of the mail that is shown again and again.
    let picture = "A".repeat(1_000_000);
    let uses = "<img src=cid:a><p style='background:url(cid:a)'>x</p>".repeat(200);
    let raw = format!(
        "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<style>{}</style>{uses}\r\n\
         --b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\n{picture}\r\n--b--",
        "a{background:url(cid:a)}".repeat(200)
    );
    let page = page(&Parsed::of(raw.as_bytes()).unwrap(), false).unwrap();
    assert!(
        page.contains("data:image/png") && page.len() < 22_000_000,
        "{}",
        page.len()
    );
}

#[test]
fn style_bombs_end() {
    for (name, style) in [
        ("blocks", "a{".repeat(1_000_000)),
        ("media", "@media a{".repeat(400_000)),
        ("parentheses", format!("a{{width:{}", "calc(".repeat(800_000))),
        ("brackets", "[".repeat(4_000_000)),
        ("addresses", format!("a{{background:{}", "url(".repeat(1_000_000))),
        ("texts", "a{color:\"\n".repeat(400_000)),
        ("comments", "/*".repeat(2_000_000)),
        ("ends", "}".repeat(4_000_000)),
        ("at", "@".repeat(4_000_000)),
        ("escapes", "\\".repeat(4_000_000)),
        ("colons", format!("a{{{}", "a:".repeat(2_000_000))),
        ("rules", format!("<p>{}", "a{b:c}".repeat(700_000))),
    ] {
        let raw = format!("Content-Type: text/html\r\n\r\n<style>{style}</style><p style='{style}'>x");
        match page(&Parsed::of(raw.as_bytes()).unwrap(), false) {
            Ok(page) => assert_eq!(faults(&page, false), Vec::<String>::new(), "{name}"),
            Err(error) => assert_eq!(error.code, codes::MAIL_TOO_LARGE, "{name}"),
        }
    }
}
