//! The lines of a dump.

use std::collections::BTreeMap;

use lunora_client::value::parse_json;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::TransferError;
use crate::table_hash::TableProof;

/// What this program writes and reads.
pub const VERSION: u64 = 1;

/// Where the rows of a table lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// `root`, `shardBy`, `colocated` or `global`.
    pub tier: String,
    /// The shard field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where ids stand in a row: a path with `*` for every item or entry and `**` for every key, and the table.
    #[serde(default)]
    pub ids: Vec<(Vec<String>, String)>,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Always [`VERSION`].
    pub version: u64,
    /// Fingerprint of columns and tiers; absent in a worker that was not generated.
    pub schema_version: Option<String>,
    /// Where the objects were.
    pub source_jurisdiction: Option<String>,
    /// When the export began, Unix milliseconds.
    pub exported_at: u64,
    /// Whether all shards stood still, so that they are of one instant.
    pub quiesced: bool,
    /// The tables, and where their rows lay.
    pub tables: BTreeMap<String, TableFacts>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Footer {
    /// What is in between.
    pub tables: BTreeMap<String, TableProof>,
    /// How many shards; their cuts stand where they begin.
    pub shards: u64,
    /// Rows of what rides along.
    pub companions: u64,
    /// How many lines there are, this one included.
    pub lines: u64,
}

/// Begins the lines of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardStart {
    /// Name of the object.
    pub name: String,
    /// The timeline, and the position of its log at which the shard was exactly as the lines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// See `epoch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The first.
    Header(Header),
    /// The following lines are of this shard.
    Shard(ShardStart),
    /// A row.
    Row {
        /// Its table.
        table: String,
        /// Its wire JSON.
        doc: Json,
    },
    /// A row that rides along: how far clients have come, and results that may be asked for again.
    Companion,
    /// The last.
    Footer(Footer),
}

/// Reads a line.
///
/// # Errors
/// When it is none of a dump; `number` is said.
pub fn parse_line(number: u64, text: &[u8]) -> Result<Line, TransferError> {
    let malformed = |why: String| TransferError::Malformed { line: number, why };
    let text = std::str::from_utf8(text).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    let json = parse_json(text).map_err(|error| malformed(error.to_string()))?;
    let Json::Object(mut fields) = json else {
        return Err(malformed("it is no object".to_owned()));
    };
    let kind = match fields.get("kind") {
        None => None,
        Some(Json::String(kind)) => Some(kind.clone()),
        Some(_) => return Err(malformed("`kind` is no text".to_owned())),
    };
    let read = |what: &str, error: serde_json::Error| malformed(format!("it is no {what}: {error}"));
    match kind.as_deref() {
        None => {
            let (Some(Json::String(table)), Some(doc @ Json::Object(_)), 2) =
                (fields.swap_remove("table"), fields.swap_remove("doc"), fields.len() + 2)
            else {
                return Err(malformed("it is not `{table, doc}`".to_owned()));
            };
            Ok(Line::Row { table, doc })
        }
        Some("header") => match fields.get("version") {
            Some(Json::Number(version)) if version.as_u64() == Some(VERSION) => {
                serde_json::from_value(Json::Object(fields))
                    .map(Line::Header)
                    .map_err(|error| read("first line", error))
            }
            other => Err(TransferError::Version(
                other.map_or_else(|| "none".to_owned(), Json::to_string),
            )),
        },
        Some("shard") => serde_json::from_value(Json::Object(fields))
            .map(Line::Shard)
            .map_err(|error| read("begin of a shard", error)),
        Some("companion") => match (fields.get("table"), fields.get("row")) {
            (Some(Json::String(_)), Some(Json::Object(_))) => Ok(Line::Companion),
            _ => Err(malformed("it is not `{kind, table, row}`".to_owned())),
        },
        Some("footer") => serde_json::from_value(Json::Object(fields))
            .map(Line::Footer)
            .map_err(|error| read("last line", error)),
        Some(other) => Err(malformed(format!("`{other}` is no kind of line"))),
    }
}

/// A line with its kind in front, ended.
///
/// # Errors
/// Never for the types of this module; serde asks for it.
pub(crate) fn line_text(kind: &str, fields: &impl Serialize) -> Result<String, TransferError> {
    #[derive(Serialize)]
    struct Kinded<'a, Fields> {
        kind: &'a str,
        #[serde(flatten)]
        fields: Fields,
    }
    let text =
        serde_json::to_string(&Kinded { kind, fields }).map_err(|error| TransferError::answer(error.to_string()))?;
    Ok(text + "\n")
}
