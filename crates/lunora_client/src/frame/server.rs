//! What a server sends.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::field::{integer, present, some_integer};

/// What a row went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It entered the view.
    Insert,
    /// It changed.
    Update,
    /// It left the view.
    Delete,
}

/// A change of one row, as subscribers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOperation {
    /// What happened.
    pub op: Operation,
    /// The row's id.
    pub key: String,
    /// Its table.
    pub table: String,
    /// The row afterwards, wire-encoded; absent on delete.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// What went wrong, as it travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The stable code.
    pub code: String,
    /// For people.
    pub message: String,
    /// Wire-encoded details.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
    /// What unblocks it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where more is written.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
}

/// How one entry of a push ended; with neither field, it succeeded and its result is not kept any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushResult {
    /// The entry's.
    #[serde(deserialize_with = "integer")]
    pub client_seq: u64,
    /// Wire-encoded.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
    /// Why it was rejected.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// How far a shard is, in the frames that may leave each part of it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Place in the shard's log.
    #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Which log that is.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last `clientSeq` of this client that has run.
    #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
    pub last_mutation_id: Option<u64>,
}

/// What a server sends, one by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are those of the structs above and of frames.ts")]
pub enum ServerFrame {
    Ack {
        id: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        results: Option<Vec<PushResult>>,
        #[serde(flatten)]
        progress: Progress,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        caps: Option<Vec<String>>,
    },
    Data {
        id: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Json>,
        #[serde(flatten)]
        progress: Progress,
    },
    Delta {
        id: String,
        delta: RowOperation,
        #[serde(flatten)]
        progress: Progress,
    },
    Resume {
        id: String,
        #[serde(deserialize_with = "integer")]
        cursor: u64,
        epoch: String,
    },
    Settled {
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(deserialize_with = "integer")]
        cursor: u64,
        epoch: String,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        last_mutation_id: Option<u64>,
    },
    PokeStart {
        poke_id: String,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        base_checkpoint: Option<u64>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    },
    PokePart {
        poke_id: String,
        /// The subscription's id.
        shape_id: String,
        rows_patch: Vec<RowOperation>,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        last_mutation_id: Option<u64>,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        base_checkpoint: Option<u64>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        reset: Option<bool>,
        /// Names the condition and the columns that the view has from now on.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    PokeEnd {
        poke_id: String,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        checkpoint: Option<u64>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    },
    Chunk {
        id: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Json>,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        generation: Option<String>,
    },
    Whisper {
        topic: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Json>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    Error {
        /// The subscription, push or stream that failed; absent when it is the socket's.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        error: ErrorBody,
    },
    Complete {
        id: String,
    },
}

/// One message of a server: a frame, or what one flush sends to one socket.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerMessage {
    /// One frame.
    Frame(ServerFrame),
    /// Several, in order.
    Batch(Vec<ServerFrame>),
}

impl ServerMessage {
    /// The frames, in order.
    #[must_use]
    pub fn into_frames(self) -> Vec<ServerFrame> {
        match self {
            Self::Frame(frame) => vec![frame],
            Self::Batch(frames) => frames,
        }
    }
}
