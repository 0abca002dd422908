//! Files that are no whole dump are refused, with a code and where possible a line, before anybody is asked anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::Write as _;

use lunora_transfer::{Line, Tally, TransferError, check_dump, parse_line};
use serde_json::{Value as Json, json};

fn header() -> Json {
    json!({ "kind": "header", "version": 1, "schemaVersion": "00", "sourceJurisdiction": "eu", "exportedAt": 5,
        "quiesced": false, "tables": { "things": { "tier": "root" }, "none": { "tier": "root" } } })
}

fn body() -> Vec<Json> {
    let mut lines = vec![json!({ "kind": "shard", "name": "__root__", "epoch": "e", "seq": 3 })];
    for n in 0..4 {
        lines.push(
            json!({ "table": "things", "doc": { "_id": format!("id {n}"), "_creationTime": n, "text": "\u{2028}" } }),
        );
    }
    lines.push(json!({ "kind": "companion", "table": "__client_watermark", "row": { "identity": "" } }));
    lines
}

fn footer(lines: &[Json]) -> Json {
    let Line::Header(header) = parse_line(1, header().to_string().as_bytes()).unwrap() else {
        panic!("it is a header");
    };
    let mut tally = Tally::of(&header);
    for (index, line) in lines.iter().enumerate() {
        let number = index as u64 + 2;
        tally
            .add(number, &parse_line(number, line.to_string().as_bytes()).unwrap())
            .unwrap();
    }
    let mut footer = serde_json::to_value(tally.footer()).unwrap();
    footer["kind"] = json!("footer");
    footer
}

fn good() -> Vec<Json> {
    let body = body();
    let mut lines = vec![header()];
    let footer = footer(&body);
    lines.extend(body);
    lines.push(footer);
    lines
}

fn text(lines: &[Json]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn check(bytes: &[u8]) -> Result<(), TransferError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    check_dump(file.path()).map(|_| ())
}

/// Every bad file by name, and the code it is refused with.
#[allow(clippy::too_many_lines, reason = "a list")]
fn corpus() -> BTreeMap<String, (Vec<u8>, &'static str)> {
    const MALFORMED: &str = "TRANSFER_FILE_MALFORMED";
    const TRUNCATED: &str = "TRANSFER_FILE_TRUNCATED";
    const VERSION: &str = "TRANSFER_VERSION_UNSUPPORTED";
    const PROOF: &str = "TRANSFER_PROOF_FAILED";
    let whole = good();
    let mut files: BTreeMap<String, (Vec<u8>, &'static str)> = BTreeMap::new();
    let mut add = |name: String, bytes: Vec<u8>, code| {
        assert!(
            files.insert(name.clone(), (bytes, code)).is_none(),
            "{name} is there twice"
        );
    };
    add("empty".into(), Vec::new(), TRUNCATED);
    // Cut behind each line, and inside each.
    for count in 1..whole.len() {
        add(format!("only {count} lines"), text(&whole[..count]), TRUNCATED);
    }
    for count in 0..whole.len() {
        let mut bytes = text(&whole[..count]);
        let line = format!("{}\n", whole[count]);
        bytes.extend(&line.as_bytes()[..line.len() / 2]);
        add(format!("cut inside line {count}"), bytes, TRUNCATED);
    }
    let mut bytes = text(&whole);
    bytes.pop();
    add("no end of the last line".into(), bytes, TRUNCATED);
    // A line that is taken away, doubled, or moved.
    for place in 2..whole.len() - 1 {
        let mut lines = whole.clone();
        let line = lines.remove(place);
        add(format!("without line {place}"), text(&lines), PROOF);
        lines.insert(place, line.clone());
        lines.insert(place, line);
        add(format!("line {place} twice"), text(&lines), PROOF);
    }
    let mut lines = whole.clone();
    lines.remove(1);
    add("no begin of a shard".into(), text(&lines), MALFORMED);
    lines = whole.clone();
    lines.remove(0);
    add("no header".into(), text(&lines), MALFORMED);
    lines = whole.clone();
    lines.insert(3, header());
    add("a second header".into(), text(&lines), MALFORMED);
    lines = whole.clone();
    lines.push(whole[2].clone());
    add("a row behind the last line".into(), text(&lines), MALFORMED);
    lines = whole.clone();
    lines.push(whole[whole.len() - 1].clone());
    add("two last lines".into(), text(&lines), MALFORMED);
    lines = whole.clone();
    lines.insert(2, whole[whole.len() - 1].clone());
    add("the last line in the middle".into(), text(&lines), MALFORMED);
    // Values that were changed.
    for (name, place, path, value) in [
        ("a text", 2, "/doc/text", json!("other")),
        ("an id", 3, "/doc/_id", json!("other")),
        ("a time", 4, "/doc/_creationTime", json!(7)),
        ("a count", 7, "/tables/things/rows", json!(5)),
        ("a hash", 7, "/tables/things/hash", json!("0".repeat(64))),
        ("a count of shards", 7, "/shards", json!(2)),
        ("a count of companions", 7, "/companions", json!(0)),
        ("a count of lines", 7, "/lines", json!(9)),
    ] {
        let mut lines = whole.clone();
        *lines[place].pointer_mut(path).unwrap() = value;
        add(format!("{name} changed"), text(&lines), PROOF);
    }
    for (name, place, path, value) in [
        ("a hash in capitals", 7, "/tables/things/hash", json!("A".repeat(64))),
        ("a hash too short", 7, "/tables/things/hash", json!("a".repeat(63))),
        ("a negative count", 7, "/tables/things/rows", json!(-1)),
        ("tables as a list", 7, "/tables", json!([])),
        ("a table of no name", 2, "/table", json!("elsewhere")),
        ("a table as a number", 2, "/table", json!(5)),
        ("a row as a list", 2, "/doc", json!([])),
        ("a row as null", 2, "/doc", json!(null)),
        ("a shard without name", 1, "/name", json!(null)),
        ("a position as text", 1, "/seq", json!("3")),
        ("an unknown kind", 1, "/kind", json!("shards")),
        ("a kind as a number", 1, "/kind", json!(1)),
        ("a companion as a list", 6, "/row", json!([])),
        ("a companion of no table", 6, "/table", json!(null)),
        ("a header of no time", 0, "/exportedAt", json!("yesterday")),
        ("a header of no tables", 0, "/tables", json!(null)),
        ("a header of a number as schema", 0, "/schemaVersion", json!(1)),
    ] {
        let mut lines = whole.clone();
        *lines[place].pointer_mut(path).unwrap() = value;
        add(name.into(), text(&lines), MALFORMED);
    }
    for (name, version) in [
        ("a later version", json!(2)),
        ("version 0", json!(0)),
        ("a version as text", json!("1")),
        ("half a version", json!(1.5)),
        ("no version", json!(null)),
    ] {
        let mut lines = whole.clone();
        lines[0]["version"] = version;
        add(name.into(), text(&lines), VERSION);
    }
    // Lines that are no JSON, or not of a dump.
    for (name, line) in [
        ("nothing", &b""[..]),
        ("a space", b" "),
        ("nonsense", b"nonsense"),
        ("half an object", b"{"),
        ("an object too many", b"{}{}"),
        ("a list", b"[]"),
        ("a text", b"\"text\""),
        ("a number", b"5"),
        ("null", b"null"),
        ("an empty object", b"{}"),
        ("a row with more", b"{\"table\":\"things\",\"doc\":{},\"more\":1}"),
        ("not UTF-8", b"{\"table\":\"things\",\"doc\":{\"text\":\"\xff\"}}"),
        (
            "half a surrogate pair",
            b"{\"table\":\"things\",\"doc\":{\"text\":\"\\ud800\"}}",
        ),
        (
            "a raw control character",
            b"{\"table\":\"things\",\"doc\":{\"text\":\"\x01\"}}",
        ),
        ("a number too large", b"{\"table\":\"things\",\"doc\":{\"n\":1e999}}"),
        ("a byte order mark", b"\xef\xbb\xbf{\"table\":\"things\",\"doc\":{}}"),
        ("NUL", b"\0"),
        ("a comment", b"// {}"),
    ] {
        for place in [0, 3] {
            let mut bytes = text(&whole[..place]);
            bytes.extend(line);
            bytes.push(b'\n');
            bytes.extend(text(&whole[place..]));
            add(format!("{name} at {place}"), bytes, MALFORMED);
        }
    }
    let deep = format!(
        "{{\"table\":\"things\",\"doc\":{}1{}}}\n",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000)
    );
    let mut bytes = text(&whole[..2]);
    bytes.extend(deep.into_bytes());
    add("nested too deep".into(), bytes, MALFORMED);
    let mut bytes = text(&whole[..2]);
    bytes.extend(std::iter::repeat_n(b'x', 17 * 1024 * 1024));
    add("a line without end".into(), bytes, MALFORMED);
    files
}

#[test]
fn a_whole_dump_is_taken() {
    check(&text(&good())).unwrap();
}

#[test]
fn bad_files_are_refused() {
    let files = corpus();
    assert!(files.len() >= 80, "{} files", files.len());
    for (name, (bytes, code)) in files {
        let error = check(&bytes).expect_err(&name);
        assert_eq!(error.code(), code, "{name}: {error}");
    }
}

#[test]
fn the_line_is_said() {
    let mut lines = good();
    lines[4] = json!([]);
    let error = check(&text(&lines)).unwrap_err();
    assert_eq!(error.to_string(), "line 5: it is no object");
}
