//! A group of calls in one line, and the events that it stands for.
//!
//! What its events share is written once, values stand by place, and rows and arguments are the JSON that they are: the worker
//! does the least that it can while the app runs, and the line is taken apart here. Texts are taken over as they came, without
//! being read where nothing is found by them.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Map;
use serde_json::value::RawValue;

use super::Entry;
use super::entry::EntryError;

/// `[call, functionPath, args, ms, changes, userId, clientId, clientSeq, code, mutationId, kind, parent]`; what stands at the
/// end may be missing.
#[derive(Debug, Deserialize)]
struct Call<'a>(
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    u64,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
    #[serde(borrow, default)] Option<&'a RawValue>,
);

/// `[table, id, before, after]`
#[derive(Debug, Deserialize)]
struct Change<'a>(
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] &'a RawValue,
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] Option<&'a RawValue>,
);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    at: u64,
    object: String,
    #[serde(borrow)]
    epoch: &'a RawValue,
    from_seq: u64,
    #[serde(borrow)]
    calls: Vec<Call<'a>>,
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
    #[serde(default)]
    omitted: u64,
    /// Calls that are told by nothing else.
    #[serde(default)]
    omitted_calls: u64,
    /// Where sequences are now, by [`client_of`].
    #[serde(default)]
    clients: Map<String, serde_json::Value>,
}

/// What a line of a group begins with.
const BEGINNING: &str = "{\"type\":\"group\",";

/// A JSON text as the value of a JSON string: a text in its place is the beginning of one, which was cut.
fn push_text(body: &mut String, json: &RawValue) -> bool {
    let json = json.get();
    if json.starts_with('"') {
        body.push_str(json);
        return true;
    }
    body.push('"');
    let mut written = 0;
    for (place, byte) in json.bytes().enumerate() {
        // JSON that is valid has no other characters that need it, but white space.
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            body.push_str(&json[written..place]);
            match byte {
                b'"' => body.push_str("\\\""),
                b'\\' => body.push_str("\\\\"),
                _ => put(body, format_args!("\\u{byte:04x}")),
            }
            written = place + 1;
        }
    }
    body.push_str(&json[written..]);
    body.push('"');
    false
}

fn put(body: &mut String, text: fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    body.write_fmt(text).unwrap_or_default();
}

fn push(body: &mut String, name: &str, value: &str) {
    body.push_str(",\"");
    body.push_str(name);
    body.push_str("\":");
    body.push_str(value);
}

fn push_some(body: &mut String, name: &str, value: Option<&RawValue>) {
    if let Some(value) = value {
        push(body, name, value.get());
    }
}

/// What it is that a JSON string says.
fn said(json: &RawValue) -> Option<Arc<str>> {
    let text: String = serde_json::from_str(json.get()).ok()?;
    (!text.is_empty() && text.len() <= 1024).then(|| text.into())
}

/// Whose sequence: the length of the user's id and the id, or nothing, and the client's id behind a NUL.
fn client_of(key: &str) -> Option<(Option<&str>, &str)> {
    let (user, client) = key.split_once('\0')?;
    if user.is_empty() {
        return Some((None, client));
    }
    Some((Some(user.split_once(':')?.1), client))
}

impl Group<'_> {
    fn entry(&self, kind: &'static str, region: Option<&Arc<str>>, body: String) -> Entry {
        let mut body = body;
        if let Some(region) = region {
            push(&mut body, "region", &serde_json::Value::from(&**region).to_string());
        }
        Entry::made(kind, self.at, self.object.as_str().into(), region.cloned(), body)
    }

    /// The part of a body that all events have.
    fn body(&self, kind: &str, object: &str, room: usize) -> String {
        let mut body = String::with_capacity(room + 96 + object.len());
        put(
            &mut body,
            format_args!("\"type\":\"{kind}\",\"at\":{},\"object\":{object}", self.at),
        );
        body
    }

    fn call(&self, call: &Call<'_>, (from, to): (u64, u64), object: &str, region: Option<&Arc<str>>) -> Entry {
        let Call(id, path, args, ms, _, user, client, client_seq, code, mutation, kind, parent) = call;
        let mut body = self.body("call", object, args.get().len() * 5 / 4 + 256);
        push(&mut body, "call", id.get());
        push(&mut body, "kind", kind.map_or("\"mutation\"", RawValue::get));
        push(&mut body, "functionPath", path.get());
        body.push_str(",\"args\":");
        let is_cut = push_text(&mut body, args);
        push(&mut body, "userId", user.map_or("null", RawValue::get));
        push_some(&mut body, "clientId", *client);
        push_some(&mut body, "mutationId", *mutation);
        push_some(&mut body, "clientSeq", *client_seq);
        push_some(&mut body, "parent", *parent);
        push(&mut body, "outcome", code.map_or("\"ok\"", RawValue::get));
        push(&mut body, "ms", ms.get());
        if from < to {
            put(&mut body, format_args!(",\"fromSeq\":{from},\"toSeq\":{to}"));
        }
        if is_cut {
            push(&mut body, "isCut", "true");
        }
        let mut entry = self.entry("call", region, body);
        let mut calls: Vec<Arc<str>> = [Some(*id), *parent].into_iter().flatten().filter_map(said).collect();
        calls.sort_unstable();
        entry.calls = calls.into_boxed_slice();
        entry
    }

    fn commit(&self, writers: &[(&Call<'_>, u64, u64)], object: &str, region: Option<&Arc<str>>) -> Entry {
        let images =
            |change: &Change<'_>| change.2.map_or(0, |it| it.get().len()) + change.3.map_or(0, |it| it.get().len());
        let room: usize = self.changes.iter().map(|change| images(change) * 5 / 4 + 96).sum();
        let mut body = self.body("commit", object, room + writers.len() * 96 + 128);
        push(&mut body, "epoch", self.epoch.get());
        let to = self.from_seq + self.changes.len() as u64 + self.omitted;
        put(
            &mut body,
            format_args!(
                ",\"fromSeq\":{},\"toSeq\":{to},\"by\":\"calls\",\"calls\":[",
                self.from_seq
            ),
        );
        for (place, (Call(id, path, ..), from, to)) in writers.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let (id, path) = (id.get(), path.get());
            put(
                &mut body,
                format_args!("{comma}{{\"call\":{id},\"functionPath\":{path},\"fromSeq\":{from},\"toSeq\":{to}}}"),
            );
        }
        body.push_str("],\"changes\":[");
        for (Change(table, id, before, after), seq) in self.changes.iter().zip(self.from_seq + 1..) {
            let op = match (before, after) {
                (_, None) => "delete",
                (None, Some(_)) => "insert",
                (Some(_), Some(_)) => "update",
            };
            let comma = if seq > self.from_seq + 1 { "," } else { "" };
            let (table, id) = (table.get(), id.get());
            put(
                &mut body,
                format_args!("{comma}{{\"seq\":{seq},\"table\":{table},\"id\":{id},\"op\":\"{op}\""),
            );
            let mut is_cut = false;
            for (name, image) in [(",\"before\":", before), (",\"after\":", after)] {
                if let Some(image) = image {
                    body.push_str(name);
                    is_cut |= push_text(&mut body, image);
                }
            }
            body.push_str(if is_cut { ",\"isCut\":true}" } else { "}" });
        }
        body.push(']');
        if self.omitted > 0 {
            push(&mut body, "omitted", &self.omitted.to_string());
        }
        if self.omitted_calls > 0 {
            push(&mut body, "omittedCalls", &self.omitted_calls.to_string());
        }
        let mut entry = self.entry("commit", region, body);
        let mut calls: Vec<Arc<str>> = writers.iter().filter_map(|(call, ..)| said(call.0)).collect();
        calls.sort_unstable();
        calls.dedup();
        entry.calls = calls.into_boxed_slice();
        entry.range = Some((self.from_seq, to));
        entry
    }

    fn watermark(&self, object: &str, region: Option<&Arc<str>>) -> Entry {
        let mut body = self.body("watermark", object, self.clients.len() * 96);
        body.push_str(",\"clients\":[");
        let known = self
            .clients
            .iter()
            .filter_map(|(key, last)| Some((client_of(key)?, last)));
        for (place, ((user, client), last)) in known.enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let (user, client) = (serde_json::Value::from(user), serde_json::Value::from(client));
            put(
                &mut body,
                format_args!("{comma}{{\"userId\":{user},\"clientId\":{client},\"lastMutationId\":{last}}}"),
            );
        }
        body.push(']');
        self.entry("watermark", region, body)
    }

    fn entries(&self, region: Option<&str>) -> Vec<Entry> {
        let region: Option<Arc<str>> = region.map(Arc::from);
        let region = region.as_ref();
        let object = serde_json::Value::from(&*self.object).to_string();
        let mut entries = Vec::with_capacity(self.calls.len() + 2);
        let mut writers = Vec::new();
        let mut from = self.from_seq;
        for call in &self.calls {
            let to = from.saturating_add(call.4);
            if from < to {
                writers.push((call, from, to));
            }
            entries.push(self.call(call, (from, to), &object, region));
            from = to;
        }
        if !self.changes.is_empty() || self.omitted > 0 {
            entries.push(self.commit(&writers, &object, region));
        }
        if !self.clients.is_empty() {
            entries.push(self.watermark(&object, region));
        }
        entries
    }
}

/// The events of a line; `None` when it is no group's.
pub(crate) fn read(line: &str, region: Option<&str>) -> Option<Result<Vec<Entry>, EntryError>> {
    if !line.starts_with(BEGINNING) {
        return None;
    }
    let group: Result<Group<'_>, _> = serde_json::from_str(line);
    Some(
        group
            .map(|group| group.entries(region))
            .map_err(|_| EntryError::NoEvent),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn events(line: &Value, region: Option<&str>) -> Vec<Value> {
        let entries = read(&line.to_string(), region).unwrap().unwrap();
        let texts = entries.iter().map(|entry| entry.json(7));
        texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    #[test]
    fn a_group_is_the_events_that_it_stands_for() {
        let line = json!({
            "type": "group", "at": 5, "object": "rooms:\"1\"", "epoch": "e", "fromSeq": 10,
            "calls": [
                ["a", "rooms:add", { "text": "a \"quoted\" \\ line\n" }, 3, 2, "ann", "c1", 1],
                ["b", "rooms:nothing", {}, 0, 0, null],
                ["d", "rooms:long", "{\"text\":\"cut", 1, 1, "ben", null, null, "CONFLICT", "m1", "job", "z"],
            ],
            "changes": [["rows", "1", null, { "v": 1 }], ["rows", "2", { "v": 1 }, null], ["rows", "3", "{\"v", { "v": 2 }]],
            "omitted": 4,
            "clients": { "3:ann\u{0}c1": 1, "\u{0}c:2": 9 },
        });
        let found = events(&line, Some("eu"));
        let common = |mut event: Value| {
            let fields = event.as_object_mut().unwrap();
            fields.extend([
                ("n".to_owned(), json!(7)),
                ("at".to_owned(), json!(5)),
                ("region".to_owned(), json!("eu")),
            ]);
            fields.insert("object".to_owned(), json!("rooms:\"1\""));
            event
        };
        let wanted = [
            json!({ "type": "call", "call": "a", "kind": "mutation", "functionPath": "rooms:add",
                "args": "{\"text\":\"a \\\"quoted\\\" \\\\ line\\n\"}", "userId": "ann", "clientId": "c1", "clientSeq": 1,
                "outcome": "ok", "ms": 3, "fromSeq": 10, "toSeq": 12 }),
            json!({ "type": "call", "call": "b", "kind": "mutation", "functionPath": "rooms:nothing", "args": "{}",
                "userId": null, "outcome": "ok", "ms": 0 }),
            json!({ "type": "call", "call": "d", "kind": "job", "functionPath": "rooms:long", "args": "{\"text\":\"cut",
                "userId": "ben", "mutationId": "m1", "parent": "z", "outcome": "CONFLICT", "ms": 1, "fromSeq": 12, "toSeq": 13,
                "isCut": true }),
            json!({ "type": "commit", "epoch": "e", "fromSeq": 10, "toSeq": 17, "by": "calls",
                "calls": [{ "call": "a", "functionPath": "rooms:add", "fromSeq": 10, "toSeq": 12 },
                    { "call": "d", "functionPath": "rooms:long", "fromSeq": 12, "toSeq": 13 }],
                "changes": [{ "seq": 11, "table": "rows", "id": "1", "op": "insert", "after": "{\"v\":1}" },
                    { "seq": 12, "table": "rows", "id": "2", "op": "delete", "before": "{\"v\":1}" },
                    { "seq": 13, "table": "rows", "id": "3", "op": "update", "before": "{\"v", "after": "{\"v\":2}",
                        "isCut": true }],
                "omitted": 4 }),
            json!({ "type": "watermark", "clients": [{ "userId": "ann", "clientId": "c1", "lastMutationId": 1 },
                { "userId": null, "clientId": "c:2", "lastMutationId": 9 }] }),
        ];
        assert_eq!(found, wanted.map(common));
    }

    #[test]
    fn what_the_tap_writes_is_understood() {
        // Held against the tap by `tap-text.test.ts`.
        let line = include_str!("../../tests/payloads/group.json").trim_end();
        let found: Vec<Value> = read(line, None)
            .unwrap()
            .unwrap()
            .iter()
            .map(|entry| serde_json::from_str(&entry.json(1)).unwrap())
            .collect();
        let of = |field: &str| -> Vec<Value> { found.iter().map(|event| event[field].clone()).collect() };
        assert_eq!(of("type"), ["call", "call", "call", "call", "commit", "watermark"]);
        assert_eq!(of("outcome")[..4], ["ok", "ok", "ok", "CONFLICT"]);
        assert_eq!(of("parent")[2], "c0");
        assert_eq!(of("clientSeq")[0], 4);
        assert_eq!(found[4]["calls"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&found[4]["toSeq"], found[4]["changes"].as_array().unwrap().len()),
            (&json!(13), 3)
        );
        assert_eq!(found[5]["clients"][0]["clientId"], "tab \"1\"");
        assert_eq!(
            found[5]["clients"][1],
            json!({ "userId": null, "clientId": "c:2", "lastMutationId": 9 })
        );
    }

    #[test]
    fn they_are_found_as_if_they_had_come_one_by_one() {
        let line = json!({
            "type": "group", "at": 5, "object": "r", "epoch": "e", "fromSeq": 0, "changes": [["t", "1", null, {}]],
            "calls": [["a", "f:f", {}, 1, 1, null, null, null, null, null, null, "p"]], "clients": { "\u{0}c": 1 },
        });
        let entries = read(&line.to_string(), Some("eu")).unwrap().unwrap();
        for entry in entries {
            let alone = Entry::parse(&format!("{{{}", &entry.json(1)["{\"n\":1,".len()..]), None).unwrap();
            assert_eq!(format!("{alone:?}"), format!("{entry:?}"));
        }
    }

    #[test]
    fn a_group_without_changes_is_its_calls() {
        let line = json!({ "type": "group", "at": 5, "object": "r", "epoch": "e", "fromSeq": 3, "changes": [],
            "calls": [["a", "f:f", {}, 1, 0, null]] });
        assert_eq!(events(&line, None).len(), 1);
    }

    #[test]
    fn a_group_that_is_told_briefly_is_its_commit() {
        let line = json!({ "type": "group", "at": 5, "object": "r", "epoch": "e", "fromSeq": 3, "calls": [], "changes": [],
            "omitted": 24, "omittedCalls": 20 });
        assert_eq!(
            events(&line, None),
            [
                json!({ "n": 7, "type": "commit", "at": 5, "object": "r", "epoch": "e", "fromSeq": 3, "toSeq": 27, "by": "calls",
                    "calls": [], "changes": [], "omitted": 24, "omittedCalls": 20 })
            ]
        );
    }

    #[test]
    fn what_is_no_group_is_refused() {
        assert!(read("{\"type\":\"call\",\"at\":1}", None).is_none());
        for line in [
            r#"{"type":"group","at":1}"#,
            r#"{"type":"group","at":-1,"object":"o","epoch":"e","fromSeq":0,"calls":[],"changes":[]}"#,
            r#"{"type":"group","at":1,"object":"o","epoch":"e","fromSeq":0,"calls":[["a"]],"changes":[]}"#,
            r#"{"type":"group","at":1,"object":"o","epoch":"e","fromSeq":0,"calls":[7],"changes":[]}"#,
            r#"{"type":"group","at":1,"object":"o","epoch":"e","fromSeq":0,"calls":[],"changes":[["t"]]}"#,
            r#"{"type":"group","at":1,"object":"o","epoch":"e","fromSeq":0,"calls":[],"changes":[]"#,
        ] {
            assert!(read(line, None).unwrap().is_err(), "{line}");
        }
    }
}
