//! The golden fixture of rooms' frames, which the TypeScript implementation runs too.

#![allow(clippy::unwrap_used)]

use lunora_client::frame::{parse_presence_client_frame, parse_presence_server_frame};
use lunora_client::value::parse_json;
use serde_json::Value as Json;

fn cases(side: &str, list: &str) -> Vec<Json> {
    let path = format!(
        "{}/../../tests/fixtures/presence-frames.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let fixture = parse_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = fixture[side][list].as_array().unwrap().clone();
    assert!(cases.len() > 3);
    cases
}

fn text(case: &Json) -> &str {
    case["text"].as_str().unwrap()
}

#[test]
fn frames_mean_what_the_fixture_says_and_are_written_back() {
    for case in cases("client", "valid") {
        let frame = parse_presence_client_frame(text(&case)).unwrap();
        assert_eq!(serde_json::to_value(&frame).unwrap(), case["frame"], "{}", case["name"]);
    }
    for case in cases("server", "valid") {
        let frame = parse_presence_server_frame(text(&case)).unwrap();
        assert_eq!(serde_json::to_value(&frame).unwrap(), case["frame"], "{}", case["name"]);
    }
}

#[test]
fn what_is_no_frame_is_refused_with_its_code() {
    for case in cases("client", "invalid") {
        let refused = parse_presence_client_frame(text(&case)).unwrap_err();
        assert_eq!(refused.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
    for case in cases("server", "invalid") {
        let refused = parse_presence_server_frame(text(&case)).unwrap_err();
        assert_eq!(refused.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
}
