//! What is asked of the admin routes.

use std::collections::BTreeMap;

use bytes::Bytes;
use lunora_client::AdminClient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::error::TransferError;
use crate::line::TableFacts;
use crate::table_hash::TableProof;

/// What is deployed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Fingerprint of columns and tiers; absent in a worker that was not generated.
    pub schema_version: Option<String>,
    /// Where the schema pins the objects.
    pub jurisdiction: Option<String>,
    /// What the deployment says of itself.
    pub region: Option<String>,
    /// How many shards there are, at least.
    pub shards: u64,
    /// Whether there are more.
    pub has_more_shards: bool,
    /// Jobs that wait, which stay where they are; absent in an app that schedules nothing.
    #[serde(default)]
    pub scheduled_jobs: Option<WaitingJobs>,
    /// The tables of the schema.
    pub tables: BTreeMap<String, TableFacts>,
}

/// Jobs that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingJobs {
    /// How many were counted.
    pub count: u64,
    /// Whether there are more.
    pub has_more: bool,
}

/// The last line of a page of an export.
#[derive(Debug, Deserialize)]
pub(crate) struct PageEnd {
    pub cursor: Option<String>,
    pub parts: Vec<PagePart>,
    pub hidden: Vec<String>,
}

/// What a run of lines of one shard adds.
#[derive(Debug, Deserialize)]
pub(crate) struct PagePart {
    pub tables: BTreeMap<String, TableProof>,
}

#[derive(Deserialize)]
struct Cursor {
    cursor: Option<String>,
}

fn read<Value: DeserializeOwned>(json: Json) -> Result<Value, TransferError> {
    serde_json::from_value(json).map_err(|error| TransferError::answer(error.to_string()))
}

/// What is deployed there.
///
/// # Errors
/// What the server refused, and what kept it from being reached.
pub async fn info(client: &mut AdminClient) -> Result<ServerInfo, TransferError> {
    read(client.get("info").await?)
}

/// Repeats a paged operation until it has been through everything. `between` is told of each page.
pub(crate) async fn pages(
    client: &mut AdminClient,
    name: &str,
    body: Json,
    mut between: impl FnMut(&Json) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let mut body = body;
    body["cursor"] = Json::Null;
    loop {
        let answer = client.post(name, &body).await?;
        between(&answer)?;
        match read::<Cursor>(answer)?.cursor {
            None => return Ok(()),
            Some(cursor) => body["cursor"] = json!(cursor),
        }
    }
}

/// Counts and hashes the tables as they are now.
///
/// # Errors
/// What the server refused, and what kept it from being reached.
pub async fn proofs(
    client: &mut AdminClient,
    tables: &[String],
) -> Result<BTreeMap<String, TableProof>, TransferError> {
    #[derive(Deserialize)]
    struct Answer {
        parts: Vec<BTreeMap<String, TableProof>>,
    }
    let mut sums: BTreeMap<String, TableProof> = tables
        .iter()
        .map(|name| (name.clone(), TableProof::default()))
        .collect();
    pages(client, "verify", json!({ "tables": tables }), |answer| {
        for part in read::<Answer>(answer.clone())?.parts {
            add_all(&mut sums, &part);
        }
        Ok(())
    })
    .await?;
    Ok(sums)
}

pub(crate) fn add_all(sums: &mut BTreeMap<String, TableProof>, part: &BTreeMap<String, TableProof>) {
    for (name, proof) in part {
        sums.entry(name.clone()).or_default().add(proof);
    }
}

/// A page of an export: its lines, and how it ends.
pub(crate) async fn export_page(client: &mut AdminClient, body: &Json) -> Result<(Bytes, PageEnd), TransferError> {
    let bytes = client.post_for_bytes("export", body).await?;
    let cut = TransferError::answer("a page of the export has no end");
    let Some(text) = bytes.strip_suffix(b"\n") else {
        return Err(cut);
    };
    let start = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |place| place + 1);
    let json: Json = serde_json::from_slice(text.get(start..).unwrap_or_default()).map_err(|_| cut)?;
    if json.get("kind") != Some(&json!("page")) {
        return Err(TransferError::answer("a page of the export has no end"));
    }
    Ok((bytes.slice(..start), read(json)?))
}
