//! What is needed to go on with an import.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::files::{beside, random_id, read_json, remove, write_json};
use crate::table_hash::TableProof;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    Rows,
    Prepare,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    version: u64,
    url: String,
    /// Names the import to the server.
    pub id: String,
    pub mode: String,
    tables: Vec<String>,
    pub phase: Phase,
    /// Up to this line everything is staged.
    pub line: u64,
    /// What is staged, by table.
    pub sent: BTreeMap<String, TableProof>,
}

/// The state of an import, in a file beside the dump.
pub(crate) struct ProgressFile {
    path: PathBuf,
    pub state: State,
}

impl ProgressFile {
    pub(crate) fn begin(dump: &Path, url: &str, mode: &str, tables: &[String]) -> Result<Self, TransferError> {
        let state = State {
            version: 1,
            url: url.to_owned(),
            id: random_id()?,
            mode: mode.to_owned(),
            tables: tables.to_vec(),
            phase: Phase::Rows,
            line: 0,
            sent: BTreeMap::new(),
        };
        let file = Self {
            path: beside(dump, ".import"),
            state,
        };
        write_json(&file.path, &file.state)?;
        Ok(file)
    }

    pub(crate) fn resume(dump: &Path, url: &str, mode: &str, tables: &[String]) -> Result<Self, TransferError> {
        let path = beside(dump, ".import");
        let unusable = |why: &str| TransferError::Checkpoint(format!("`{}`: {why}", path.display()));
        let state: State = read_json(&path)?.ok_or_else(|| unusable("no import was left here to go on with"))?;
        if state.version != 1 {
            return Err(TransferError::Version(state.version.to_string()));
        }
        if state.url != url {
            return Err(unusable(&format!("the import that was left goes to `{}`", state.url)));
        }
        if state.mode != mode || state.tables != tables {
            return Err(unusable("the import that was left has other options"));
        }
        Ok(Self { path, state })
    }

    /// The import of this dump into the same app that was left, when there is one.
    pub(crate) fn left(dump: &Path, url: &str) -> Result<Option<Self>, TransferError> {
        let path = beside(dump, ".import");
        let left = read_json::<State>(&path)?.filter(|state| state.url == url);
        Ok(left.map(|state| Self { path, state }))
    }

    pub(crate) fn sent(&mut self, line: u64, sent: &BTreeMap<String, TableProof>) -> Result<(), TransferError> {
        self.state.line = line;
        self.state.sent.clone_from(sent);
        write_json(&self.path, &self.state)
    }

    pub(crate) fn reach(&mut self, phase: Phase) -> Result<(), TransferError> {
        self.state.phase = phase;
        write_json(&self.path, &self.state)
    }

    pub(crate) fn remove(&self) -> Result<(), TransferError> {
        remove(&self.path)
    }
}
