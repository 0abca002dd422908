//! The golden fixture of frames, which the TypeScript implementation runs too.

#![allow(clippy::unwrap_used)]

use lunora_client::frame::{FRAME_BYTES, ServerMessage, parse_client_frame, parse_server_frame};
use lunora_client::value::parse_json;
use serde_json::{Value as Json, json};

fn cases(side: &str, list: &str) -> Vec<Json> {
    let path = format!("{}/../../tests/fixtures/frames.json", env!("CARGO_MANIFEST_DIR"));
    let fixture = parse_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = fixture[side][list].as_array().unwrap().clone();
    assert!(cases.len() > 10);
    cases
}

fn text(case: &Json) -> &str {
    case["text"].as_str().unwrap()
}

fn written(message: ServerMessage) -> Json {
    match message {
        ServerMessage::Frame(frame) => serde_json::to_value(frame).unwrap(),
        ServerMessage::Batch(frames) => json!({ "type": "batch", "frames": frames }),
    }
}

#[test]
fn frames_mean_what_the_fixture_says_and_are_written_back() {
    for case in cases("client", "valid") {
        let frame = parse_client_frame(text(&case)).unwrap();
        assert_eq!(serde_json::to_value(&frame).unwrap(), case["frame"], "{}", case["name"]);
        assert_eq!(parse_client_frame(&case["frame"].to_string()).unwrap(), frame);
    }
    for case in cases("server", "valid") {
        let message = parse_server_frame(text(&case)).unwrap();
        assert_eq!(written(message), case["frame"], "{}", case["name"]);
    }
}

#[test]
fn what_is_no_frame_is_refused_with_its_code() {
    for case in cases("client", "invalid") {
        let refused = parse_client_frame(text(&case)).unwrap_err();
        assert_eq!(refused.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
    for case in cases("server", "invalid") {
        let refused = parse_server_frame(text(&case)).unwrap_err();
        assert_eq!(refused.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
}

#[test]
fn how_far_a_shard_is_may_be_left_out_and_is_never_null() {
    let delta = json!({ "op": "delete", "key": "m", "table": "messages" });
    let frames = [
        json!({ "type": "ack", "id": "1" }),
        json!({ "type": "data", "id": "1" }),
        json!({ "type": "delta", "id": "1", "delta": delta }),
    ];
    let parts = [
        ("cursor", json!(7), [json!(null), json!(-1), json!(0.5), json!("7")]),
        ("epoch", json!("e"), [json!(null), json!(5), json!([]), json!(true)]),
        (
            "lastMutationId",
            json!(7),
            [json!(null), json!(-1), json!(0.5), json!("7")],
        ),
    ];
    for frame in frames {
        assert_eq!(written(parse_server_frame(&frame.to_string()).unwrap()), frame);
        for (part, right, wrong) in &parts {
            let mut with = frame.clone();
            with[part] = right.clone();
            assert_eq!(written(parse_server_frame(&with.to_string()).unwrap()), with);
            for value in wrong {
                with[part] = value.clone();
                let refused = parse_server_frame(&with.to_string()).unwrap_err();
                assert_eq!(refused.code(), "FRAME_MALFORMED", "{with}");
            }
        }
    }
}

#[test]
fn a_frame_ends_at_a_mebibyte() {
    let frame = |length: usize| {
        let around = json!({ "type": "whisper", "topic": "t", "data": "" }).to_string().len();
        json!({ "type": "whisper", "topic": "t", "data": "x".repeat(length - around) }).to_string()
    };
    assert!(parse_client_frame(&frame(FRAME_BYTES)).is_ok());
    let refused = parse_client_frame(&frame(FRAME_BYTES + 1)).unwrap_err();
    assert_eq!(refused.code(), "FRAME_TOO_LARGE");
}
