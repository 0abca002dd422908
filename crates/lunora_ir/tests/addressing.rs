//! The golden fixtures that this crate and the TypeScript implementation both run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lunora_ir::{decode_id_shard, encode_id_shard, object_name, shard_number_text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "camelCase")]
enum Value {
    String(String),
    Id(String),
    /// As JavaScript source, so that `-0` survives.
    Number(String),
    Bigint(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    field: String,
    value: Value,
    object_name: String,
}

#[derive(Deserialize)]
struct Id {
    random: String,
    value: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fixtures {
    cases: Vec<Case>,
    invalid_values: Vec<String>,
    ids: Vec<Id>,
    unsharded_ids: Vec<String>,
    invalid_ids: Vec<String>,
}

fn fixtures() -> Fixtures {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/addressing.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Id(text) | Value::Bigint(text) => text.clone(),
        Value::Number(source) => shard_number_text(source.parse().unwrap()).unwrap(),
    }
}

#[test]
fn object_names() {
    let fixtures = fixtures();
    assert!(fixtures.cases.len() >= 20);
    for case in fixtures.cases {
        assert_eq!(object_name(&case.field, &text(&case.value)).unwrap(), case.object_name);
    }
}

#[test]
fn invalid_values_name_nothing() {
    for value in fixtures().invalid_values {
        assert!(object_name("field", &value).is_err(), "{value:?}");
        assert!(encode_id_shard("AAAAAAAAAAAAAAAAAAAAAA", &value).is_err(), "{value:?}");
    }
}

#[test]
fn ids_carry_their_shard() {
    let fixtures = fixtures();
    assert!(fixtures.ids.len() >= 10);
    for id in fixtures.ids {
        assert_eq!(encode_id_shard(&id.random, &id.value).unwrap(), id.id);
        assert_eq!(decode_id_shard(&id.id).unwrap(), Some(id.value));
    }
    for id in fixtures.unsharded_ids {
        assert_eq!(decode_id_shard(&id).unwrap(), None);
    }
}

#[test]
fn malformed_ids_are_refused() {
    for id in fixtures().invalid_ids {
        assert!(decode_id_shard(&id).is_err(), "{id:?}");
    }
}

#[test]
fn numbers_without_a_text_are_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(shard_number_text(value), None);
    }
}
