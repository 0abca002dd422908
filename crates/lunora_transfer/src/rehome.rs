//! Tables that lay in the root and are sharded from now on: their rows get ids that name their shard, and whoever
//! points at them points at the new ids.

mod shard_values;

use std::collections::BTreeMap;
use std::path::Path;

use lunora_client::value::WIRE_TAG;
use lunora_ir::{encode_id_shard, object_name, shard_number_text};
use serde_json::Value as Json;

use crate::dump_reader::DumpReader;
use crate::error::TransferError;
use crate::line::{Footer, Header, Line, TableFacts, parse_line};
use crate::server::ServerInfo;
use shard_values::ShardValues;

/// What changes on the way.
#[derive(Default)]
pub(crate) struct Rehoming {
    /// The shard field of each table that moves.
    fields: BTreeMap<String, String>,
    /// The shard value of each row that moves, by table: where a reference leads cannot be told from itself.
    values: BTreeMap<String, ShardValues>,
    /// Where the tables have ids that change, and of which table.
    paths: BTreeMap<String, Vec<(Vec<String>, String)>>,
}

impl Rehoming {
    /// Finds out what moves; reads the dump once more when something does.
    pub(crate) fn read(
        dump: &Path,
        (header, footer): (&Header, &Footer),
        tables: &[String],
        info: &ServerInfo,
    ) -> Result<Self, TransferError> {
        let mut rehoming = Self::default();
        for name in tables {
            let (Some(before), Some(after)) = (header.tables.get(name), info.tables.get(name)) else {
                continue;
            };
            if let (true, Some(field)) = (before.tier == "root" && after.tier == "shardBy", &after.field) {
                let rows = footer.tables.get(name).map_or(0, |proof| proof.rows);
                rehoming.fields.insert(name.clone(), field.clone());
                rehoming.values.insert(name.clone(), ShardValues::for_rows(rows));
            }
        }
        if rehoming.fields.is_empty() {
            return Ok(rehoming);
        }
        for (name, TableFacts { ids, .. }) in &info.tables {
            let moved = ids.iter().filter(|(_, table)| rehoming.fields.contains_key(table));
            rehoming.paths.insert(name.clone(), moved.cloned().collect());
        }
        let mut reader = DumpReader::open(dump)?;
        loop {
            let number = reader.number() + 1;
            let Some(text) = reader.next_text()? else { break };
            let Line::Row { table, doc } = parse_line(number, text)? else {
                continue;
            };
            let Some(field) = rehoming.fields.get(&table) else {
                continue;
            };
            let malformed = |why: String| TransferError::Malformed { line: number, why };
            let value = doc.get(field).and_then(shard_text).ok_or_else(|| {
                malformed(format!(
                    "`{table}` is sharded by `{field}`, and this row has no value there"
                ))
            })?;
            let Some(id) = doc.get("_id").and_then(Json::as_str) else {
                return Err(malformed("`_id` is no text".to_owned()));
            };
            let values = rehoming.values.entry(table).or_default();
            values
                .insert(id, &value)
                .ok_or_else(|| malformed("it has more shards than can be told apart".to_owned()))?;
        }
        rehoming.values.values_mut().for_each(ShardValues::finish);
        Ok(rehoming)
    }

    /// Names of the tables that move.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    /// Puts new ids in place of old ones. Answers the object that the row moves to, when it does.
    pub(crate) fn rewrite(&self, table: &str, doc: &mut Json) -> Option<String> {
        if self.fields.is_empty() {
            return None;
        }
        for (path, target) in self.paths.get(table).into_iter().flatten() {
            if let Some(values) = self.values.get(target) {
                rewrite_at(doc, path, values);
            }
        }
        let field = self.fields.get(table)?;
        let id = doc.get("_id").and_then(Json::as_str)?;
        let value = self.values.get(table)?.get(id)?;
        let name = object_name(field, value).ok()?;
        let new_id = encode_id_shard(id, value).ok()?;
        doc["_id"] = Json::String(new_id);
        Some(name)
    }
}

/// The one text of a shard value, from its wire JSON.
fn shard_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => shard_number_text(number.as_f64()?),
        Json::Array(items) => match items.as_slice() {
            [Json::String(tag), Json::String(kind), Json::String(digits)] if tag == WIRE_TAG && kind == "bigint" => {
                Some(digits.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

fn rewrite_id(value: &mut Json, values: &ShardValues) {
    if let Some(new_id) = new_id(value.as_str(), values) {
        *value = Json::String(new_id);
    }
}

fn new_id(id: Option<&str>, values: &ShardValues) -> Option<String> {
    encode_id_shard(id?, values.get(id?)?).ok()
}

fn rewrite_at(value: &mut Json, path: &[String], values: &ShardValues) {
    let Some((step, rest)) = path.split_first() else {
        rewrite_id(value, values);
        return;
    };
    match (step.as_str(), value) {
        ("*", Json::Array(items)) => items.iter_mut().for_each(|item| rewrite_at(item, rest, values)),
        ("*", Json::Object(fields)) => fields.values_mut().for_each(|item| rewrite_at(item, rest, values)),
        ("**", Json::Object(fields)) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(key, item)| (new_id(Some(&key), values).unwrap_or(key), item))
                .collect();
        }
        (name, Json::Object(fields)) => {
            if let Some(inner) = fields.get_mut(name) {
                rewrite_at(inner, rest, values);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn ids_change_wherever_they_stand() {
        let mut values = ShardValues::default();
        values.insert("a", "red").unwrap();
        values.finish();
        let rehoming = Rehoming {
            fields: [("messages".to_owned(), "room".to_owned())].into(),
            values: [("messages".to_owned(), values)].into(),
            paths: [(
                "marks".to_owned(),
                [
                    vec!["one"],
                    vec!["many", "*"],
                    vec!["by", "**"],
                    vec!["deep", "*", "id"],
                ]
                .map(|path| (path.into_iter().map(str::to_owned).collect(), "messages".to_owned()))
                .to_vec(),
            )]
            .into(),
        };
        let mut doc = json!({ "one": "a", "many": ["a", "b"], "by": { "a": 1, "b": 2 }, "deep": [{ "id": "a" }, 5], "text": "a" });
        assert_eq!(rehoming.rewrite("marks", &mut doc), None);
        assert_eq!(
            doc,
            json!({ "one": "a.cmVk", "many": ["a.cmVk", "b"], "by": { "a.cmVk": 1, "b": 2 }, "deep": [{ "id": "a.cmVk" }, 5], "text": "a" })
        );
        let mut row = json!({ "_id": "a", "room": "red" });
        assert_eq!(rehoming.rewrite("messages", &mut row).unwrap(), "room=red");
        assert_eq!(row, json!({ "_id": "a.cmVk", "room": "red" }));
    }

    #[test]
    fn shard_values_have_one_text() {
        for (value, text) in [
            (json!("a b"), Some("a b")),
            (json!(1.0), Some("1")),
            (json!(1e21), Some("1e+21")),
            (json!(["$lunora.wire$", "bigint", "-5"]), Some("-5")),
            (json!(["$lunora.wire$", "nan"]), None),
            (json!(null), None),
            (json!(true), None),
        ] {
            assert_eq!(shard_text(&value).as_deref(), text, "{value}");
        }
    }
}
