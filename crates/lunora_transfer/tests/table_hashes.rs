//! The hash of a table, by the fixtures that the TypeScript side runs too.

#![allow(clippy::unwrap_used)]

use lunora_client::value::parse_json;
use lunora_transfer::{HashSum, TableProof};

fn cases() -> Vec<serde_json::Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/table-hashes.json");
    let json = parse_json(&std::fs::read_to_string(path).unwrap()).unwrap();
    json.as_array().unwrap().clone()
}

#[test]
fn hashes_are_those_of_the_fixtures() {
    let cases = cases();
    assert!(cases.len() > 10);
    for case in cases {
        let rows = case["rows"].as_array().unwrap();
        let expected = TableProof {
            rows: rows.len() as u64,
            hash: HashSum::parse(case["hash"].as_str().unwrap()).unwrap(),
        };
        let mut whole = TableProof::default();
        rows.iter().for_each(|row| whole.add_row(row));
        assert_eq!(whole, expected, "{}", case["name"]);
        let mut parts = TableProof::default();
        for row in rows.iter().rev() {
            let mut part = TableProof::default();
            part.add_row(row);
            parts.add(&part);
        }
        assert_eq!(parts, expected, "{}", case["name"]);
    }
}

#[test]
fn a_hash_is_64_digits() {
    let digits = "0123456789abcdef".repeat(4);
    assert_eq!(HashSum::parse(&digits).unwrap().to_string(), digits);
    for text in [
        "".to_owned(),
        digits[1..].to_owned(),
        format!("{digits}0"),
        digits.to_uppercase(),
        format!("+{}", &digits[1..]),
        format!("{}é", &digits[2..]),
    ] {
        assert_eq!(HashSum::parse(&text), None, "{text}");
    }
}
