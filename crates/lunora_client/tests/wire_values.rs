//! The golden fixtures of values and subscription keys, which the TypeScript implementation runs too.

#![allow(clippy::unwrap_used)]

use lunora_client::value::{Value, WIRE_TAG, decode, encode, parse_json};
use lunora_client::{canonical_json, subscription_key};
use serde_json::{Value as Json, json};

fn fixture(name: &str) -> Json {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    parse_json(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases<'json>(fixture: &'json Json, list: &str) -> &'json [Json] {
    let cases = fixture[list].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

#[test]
fn values_come_back_byte_for_byte() {
    for case in cases(&fixture("wire-values.json"), "cases") {
        let encoded = &case["encoded"];
        let expected = case.get("reencoded").unwrap_or(encoded);
        let again = encode(&decode(encoded).unwrap()).unwrap().unwrap();
        assert_eq!(again.to_string(), expected.to_string(), "{}", case["name"]);
    }
}

#[test]
fn what_is_no_value_is_refused_with_its_code() {
    for case in cases(&fixture("wire-values.json"), "rejected") {
        let refused = decode(&case["encoded"]).unwrap_err();
        assert_eq!(refused.code(), case["code"].as_str().unwrap(), "{}", case["name"]);
    }
}

#[test]
fn subscription_keys_are_canonical() {
    for case in cases(&fixture("subscription-keys.json"), "cases") {
        let key = subscription_key(
            case["functionPath"].as_str().unwrap(),
            &decode(&case["args"]).unwrap(),
            case.get("shardKey").map(|key| key.as_str().unwrap()),
        );
        assert_eq!(key.unwrap(), case["key"].as_str().unwrap(), "{}", case["name"]);
    }
}

#[test]
fn numbers_are_written_as_javascript_writes_them() {
    for (number, text) in [
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1.5e-7, "1.5e-7"),
        (-0.0, "0"),
    ] {
        assert_eq!(canonical_json(&json!(number)), text);
    }
}

#[test]
fn hostile_nesting_is_refused_before_it_is_parsed() {
    for open in ["[", r#"{"a":"#, r#"["$lunora.wire$","date","#] {
        let text = open.repeat(200_000);
        assert_eq!(parse_json(&text).unwrap_err().code(), "WIRE_TOO_DEEP");
    }
    let brackets_in_text = json!("[".repeat(1000)).to_string();
    assert!(parse_json(&brackets_in_text).is_ok());
    // A map of maps takes three brackets a level, and all 64 levels of it are a value.
    let mut map = Value::Null;
    for _ in 0..64 {
        map = Value::Map(vec![(map, Value::Null)]);
    }
    let text = encode(&map).unwrap().unwrap().to_string();
    assert_eq!(decode(&parse_json(&text).unwrap()).unwrap(), map);
    assert!(encode(&Value::Set(vec![map])).is_err());
}

mod random {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>()
                .prop_filter("NaN equals nothing", |number| !number.is_nan())
                .prop_map(|number| Value::Number(number + 0.0)),
            any::<i64>().prop_map(|integer| Value::BigInt(integer.into())),
            prop_oneof![Just(WIRE_TAG.to_owned()), ".*"].prop_map(Value::String),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes, None)),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::btree_map(".*", inner.clone(), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
                proptest::collection::btree_map(".*", inner, 0..5).prop_map(|entries| Value::Map(
                    entries
                        .into_iter()
                        .map(|(key, item)| (Value::String(key), item))
                        .collect()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_come_back_as_they_were(original in value()) {
            let text = encode(&original).unwrap().unwrap().to_string();
            prop_assert_eq!(decode(&parse_json(&text).unwrap()).unwrap(), original);
        }
    }
}
