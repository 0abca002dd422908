//! Mail as it is described and as it comes: every limit, and mutated messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lunora_diagnostics::codes;
use lunora_testing::Random;
use serde_json::json;

use super::compose::{MailDescription, compose};
use super::extract::{codes_of_text, links_of_text};
use super::html_scan::scan;
use super::limits::{DEPTH, HEADER_BYTES, HEADER_LINES, MESSAGE_BYTES, PARTS};
use super::message::Parsed;
use super::page::page;

fn described(value: serde_json::Value) -> MailDescription {
    serde_json::from_value(value).unwrap()
}

fn composed(value: serde_json::Value) -> Vec<u8> {
    compose(&described(value), 1_800_000_000_000, "1@lunora.invalid").unwrap()
}

fn whole() -> Vec<u8> {
    composed(json!({
        "from": "Shöp \"A\", Ltd <shop@a.example>",
        "to": ["Ann <ann@b.example>", { "email": "bob@b.example", "name": "Bob, B." }],
        "cc": "c@b.example", "bcc": ["hidden@b.example"], "replyTo": "r@a.example",
        "subject": "Gruß 🚀 an alle, die einen sehr langen Betreff gerne bis zu seinem Ende lesen, und noch weiter",
        "text": "Dein Code: 123456\r\n.\r\nÜber alles\n", "html": "<p>Dein Code: <b>123456</b> <img src=\"cid:logo@x\"></p>",
        "headers": { "X-Kind": "test", "X-Umlaut": "für" },
        "attachments": [
            { "name": "rechnung ü.pdf", "type": "application/pdf", "content": "JVBERi0xLjQ=" },
            { "name": "a.txt", "type": "text/plain", "content": "bGluZQpuZXh0DQo=" },
            { "name": "logo.png", "type": "image/png", "content": "iVBORw0KGgo=", "contentId": "<logo@x>" },
        ],
    }))
}

#[test]
fn what_is_described_comes_back_from_the_message() {
    let raw = whole();
    let parsed = Parsed::of(&raw).unwrap();
    let envelope = &parsed.envelope;
    assert_eq!(envelope.from, "Shöp \"A\", Ltd <shop@a.example>");
    assert_eq!(envelope.to, ["Ann <ann@b.example>", "Bob, B. <bob@b.example>"]);
    assert_eq!(
        (envelope.cc.as_slice(), envelope.reply_to.as_slice()),
        (&["c@b.example".to_owned()][..], &["r@a.example".to_owned()][..])
    );
    assert!(envelope.bcc.is_empty() && !String::from_utf8_lossy(&raw).contains("hidden@"));
    assert!(
        envelope.subject.starts_with("Gruß 🚀 an alle") && envelope.subject.ends_with("noch weiter"),
        "{}",
        envelope.subject
    );
    assert_eq!(envelope.message_id.as_deref(), Some("1@lunora.invalid"));
    assert_eq!(
        parsed.text().unwrap().replace("\r\n", "\n").trim_end(),
        "Dein Code: 123456\n.\nÜber alles"
    );
    assert_eq!(
        parsed.html().unwrap().trim_end(),
        "<p>Dein Code: <b>123456</b> <img src=\"cid:logo@x\"></p>"
    );
    let parts: Vec<_> = parsed
        .parts()
        .into_iter()
        .map(|part| (part.media_type, part.name, part.content_id, part.is_attachment))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        parts,
        [
            ("text/plain".to_owned(), None, None, false),
            ("text/html".to_owned(), None, None, false),
            ("image/png".to_owned(), None, text("logo@x"), false),
            ("application/pdf".to_owned(), text("rechnung ü.pdf"), None, true),
            ("text/plain".to_owned(), text("a.txt"), None, true),
        ]
    );
    assert_eq!(&*parsed.bytes(&parsed.leaves[3]), b"%PDF-1.4");
    assert_eq!(&*parsed.bytes(&parsed.leaves[2]), b"\x89PNG\r\n\x1a\n");
    assert_eq!(parsed.attachments(), 2);
    let header = |name: &str| {
        parsed
            .headers
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(header("X-Kind").as_deref(), Some("test"));
    assert!(header("Date").unwrap().contains("2027"));
    assert!(
        page(&parsed, false)
            .unwrap()
            .contains("data:image/png;base64,iVBORw0KGgo=")
    );
}

#[test]
fn no_field_begins_another_header() {
    let base = json!({ "from": "a@b.example", "to": "c@d.example", "subject": "s", "text": "t" });
    for (key, value) in [
        ("from", json!("a@b.example\r\nBcc: x@y.example")),
        ("from", json!({ "email": "a@b.example", "name": "A\nBcc: x@y.example" })),
        ("to", json!("c@d.example\nX: y")),
        ("to", json!("c@d.example, e@f.example")),
        ("to", json!("nobody")),
        ("to", json!([])),
        ("replyTo", json!("r@s.example\r\n\r\nbody")),
        ("subject", json!("s\r\nBcc: x@y.example")),
        ("subject", json!("s\u{0}")),
        ("headers", json!({ "X-A": "b\r\nBcc: x@y.example" })),
        ("headers", json!({ "X-A\r\nBcc": "x" })),
        ("headers", json!({ "X A": "x" })),
        ("headers", json!({ "Content-Type": "text/html" })),
        ("headers", json!({ "From": "x@y.example" })),
        ("headers", json!({ "X-A": 1 })),
        ("attachments", json!([{ "name": "a\"\r\nX: y", "content": "" }])),
        ("attachments", json!([{ "type": "text/plain\r\nX: y", "content": "" }])),
        ("attachments", json!([{ "type": "multipart/mixed", "content": "" }])),
        ("attachments", json!([{ "content": "?" }])),
        ("attachments", json!([{ "content": "", "contentId": "a>\r\nX: y" }])),
    ] {
        let mut mail = base.clone();
        mail[key] = value.clone();
        let error = compose(&described(mail), 0, "1@x").unwrap_err();
        assert_eq!(error.code, codes::MAIL_INVALID, "{key} = {value}");
    }
}

#[test]
fn every_limit_is_held_at_its_edge() {
    let refused = |raw: &[u8]| Parsed::of(raw).err().map(|error| error.code);
    let parts = |count: usize| {
        let mut raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
        for number in 0..count {
            raw.extend_from_slice(
                format!("--b\r\nContent-Type: text/plain; name=\"{number}\"\r\n\r\n{number}\r\n").as_bytes(),
            );
        }
        raw.extend_from_slice(b"--b--\r\n");
        raw
    };
    // The multipart itself is one.
    let most = parts(PARTS - 1);
    assert_eq!(Parsed::of(&most).unwrap().leaves.len(), PARTS - 1);
    assert_eq!(
        &*Parsed::of(&most).unwrap().bytes(&Parsed::of(&most).unwrap().leaves[7]),
        b"7"
    );
    assert_eq!(refused(&parts(PARTS)), Some(codes::MAIL_TOO_LARGE));

    let nested = |depth: usize| {
        let mut raw = String::new();
        for level in 0..depth {
            raw.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        raw.push_str("\r\nhello\r\n");
        raw.into_bytes()
    };
    assert_eq!(Parsed::of(&nested(DEPTH)).unwrap().text().unwrap().trim(), "hello");
    assert_eq!(refused(&nested(DEPTH + 1)), Some(codes::MAIL_TOO_LARGE));
    assert_eq!(refused(&nested(50_000)), Some(codes::MAIL_TOO_LARGE));

    let lines = |count: usize| format!("{}\r\nx", "A: b\r\n".repeat(count)).into_bytes();
    assert_eq!(Parsed::of(&lines(HEADER_LINES)).unwrap().headers.len(), HEADER_LINES);
    assert_eq!(refused(&lines(HEADER_LINES + 1)), Some(codes::MAIL_TOO_LARGE));
    assert_eq!(
        refused(&"A:\n".repeat(8_000_000).into_bytes()),
        Some(codes::MAIL_TOO_LARGE)
    );
    let long = |length: usize| format!("Subject: {}\r\n\r\nx", "y".repeat(length)).into_bytes();
    assert_eq!(
        Parsed::of(&long(HEADER_BYTES - 11)).unwrap().envelope.subject.len(),
        HEADER_BYTES - 11
    );
    assert_eq!(refused(&long(HEADER_BYTES)), Some(codes::MAIL_TOO_LARGE));

    let mut body = b"Subject: s\r\n\r\n".to_vec();
    body.resize(MESSAGE_BYTES, b'x');
    assert_eq!(Parsed::of(&body).unwrap().text().unwrap().len(), MESSAGE_BYTES - 14);
    body.push(b'x');
    assert_eq!(refused(&body), Some(codes::MAIL_TOO_LARGE));
}

#[test]
fn bombs_end_as_errors_or_as_plain_parts() {
    // Messages in messages: a part, and not a value in a value.
    let forwarded = "Content-Type: message/rfc822\n\n".repeat(700_000);
    let parsed_leaves = Parsed::of(forwarded.as_bytes()).unwrap().leaves.len();
    assert_eq!(parsed_leaves, 1);
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\n".repeat(400_000);
    assert_eq!(Parsed::of(digest.as_bytes()).err().unwrap().code, codes::MAIL_TOO_LARGE);
    // A boundary that is in every line.
    let lines = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n".repeat(2_000_000)
    );
    assert_eq!(Parsed::of(lines.as_bytes()).err().unwrap().code, codes::MAIL_TOO_LARGE);
    for html in [
        "<div>".repeat(40_000),
        "<b class=x><p>".repeat(40_000),
        format!("<svg>{}", "<tr>".repeat(40_000)),
        "<div></span>".repeat(40_000),
    ] {
        let raw = format!("Content-Type: text/html\r\n\r\n{html}");
        let error = page(&Parsed::of(raw.as_bytes()).unwrap(), false).unwrap_err();
        assert_eq!(error.code, codes::MAIL_TOO_LARGE);
    }
    let wide = format!(
        "Content-Type: text/html\r\n\r\n<table>{}</table>",
        "<tr><td><p>a<br>b</td></tr>".repeat(5_000)
    );
    assert!(
        page(&Parsed::of(wide.as_bytes()).unwrap(), false)
            .unwrap()
            .contains("<td>")
    );
}

/// Does everything that the routes do with a message.
fn use_all(raw: &[u8]) {
    let Ok(parsed) = Parsed::of(raw) else { return };
    for (leaf, part) in parsed.leaves.iter().zip(parsed.parts()) {
        assert_eq!(parsed.bytes(leaf).len(), part.size);
    }
    let text = parsed.text().unwrap_or_default();
    let shown = parsed.html().map(|html| scan(&html).text).unwrap_or_default();
    drop((
        links_of_text(&text),
        codes_of_text(&text),
        codes_of_text(&shown),
        parsed.attachments(),
    ));
    drop(page(&parsed, false));
}

#[test]
fn mutated_messages_never_panic() {
    let mut random = Random::from_environment("mail::tests::mutated_messages_never_panic", 20_261_121);
    let seeds: Vec<Vec<u8>> = vec![
        whole(),
        b"From: a@b\r\nTo: c@d\r\nSubject: =?utf-8?B?w6k=?= =?iso-8859-1?Q?=E9?=\r\nContent-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=3Cp=3E=\r\nx=C3=A9=ZZ".to_vec(),
        b"Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1=\"b\"\n\n--ab\nContent-Type: multipart/digest; boundary=c\n\n--c\n\nSubject: x\n\ny\n--c--\n--ab\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeQ==\n--ab--".to_vec(),
        b"From: G: a@b, \"x y\" <c@d>;, e@f (comment (nested))\r\nDate: Thu, 99 Foo 0000 99:99:99 +9999\r\nReceived: from x ([1.2.3.4]) by y; date\r\nContent-Disposition: attachment; filename*=utf-8''%e2%82%ac%zz\r\nContent-ID: <a@b\r\n\r\n".to_vec(),
    ];
    let pieces: Vec<&[u8]> = vec![
        b"\r\n",
        b"\n\n",
        b"--",
        b"boundary=",
        b"Content-Type: multipart/mixed; boundary=",
        b"=?utf-8?Q?",
        b"?=",
        b"\"",
        b";",
        b"\0",
        b"\xff\xfe",
        b"Content-Transfer-Encoding: base64\r\n",
        b"=",
        b"<",
        b">",
        b"message/rfc822",
        b"charset=utf-7",
        b"(",
        b")",
        b":",
        b"%",
        b"*",
    ];
    for _ in 0..20_000 {
        let mut raw = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(12) {
            let at = random.below(raw.len().max(1));
            match random.below(6) {
                0 if !raw.is_empty() => raw[at] = u8::try_from(random.below(256)).unwrap(),
                1 => {
                    let piece = pieces[random.below(pieces.len())];
                    raw.splice(at..at, piece.iter().copied());
                }
                2 => raw.truncate(at),
                3 => {
                    let end = (at + random.below(40)).min(raw.len());
                    raw.drain(at..end);
                }
                4 => {
                    let end = (at + random.below(200)).min(raw.len());
                    let copy = raw[at..end].to_vec();
                    let to = random.below(raw.len().max(1));
                    raw.splice(to..to, copy);
                }
                _ => {
                    let other = &seeds[random.below(seeds.len())];
                    let from = random.below(other.len());
                    raw.truncate(at);
                    raw.extend_from_slice(&other[from..]);
                }
            }
        }
        use_all(&raw);
    }
}
