//! Hostile HTML: what wants to run or to ask.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::message::Parsed;
use super::page::page;
use super::page_check::{assert_harmless, faults};

#[test]
fn no_payload_keeps_what_runs_or_asks() {
    let payloads: Vec<&str> = include_str!("../../tests/payloads/mail-xss.txt").lines().collect();
    assert!(payloads.len() >= 150, "{}", payloads.len());
    for payload in payloads {
        for form in [
            payload.to_owned(),
            format!("<div><p>before {payload} after</p></div>"),
            format!("<table><tr><td>{payload}"),
            format!("<svg><title>{payload}</title></svg>"),
            format!("<math><annotation-xml encoding='text/html'>{payload}"),
        ] {
            assert_harmless(&form);
        }
        // As text it stays text.
        let raw = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{payload}");
        let shown = page(&Parsed::of(raw.as_bytes()).unwrap(), false).unwrap();
        assert_eq!(faults(&shown, false), Vec::<String>::new(), "{payload}");
    }
}
