//! What a client sends.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::field::{integer, name, object, present, some_integer, some_name, some_object};

/// A query to subscribe to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscribedQuery {
    /// `file:export`.
    #[serde(deserialize_with = "name")]
    pub function_path: String,
    /// Wire-encoded.
    #[serde(deserialize_with = "object")]
    pub args: Json,
    /// The table whose rows the result is.
    #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The cursor of the last frame that was applied.
    #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
    pub since_seq: Option<u64>,
    /// The epoch of that frame.
    #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
    pub since_epoch: Option<String>,
}

/// A shape to subscribe to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscribedShape {
    /// As the app declares it.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Wire-encoded.
    #[serde(default, deserialize_with = "some_object", skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
}

/// A call to stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamedQuery {
    /// `file:export`.
    #[serde(deserialize_with = "name")]
    pub function_path: String,
    /// Wire-encoded.
    #[serde(deserialize_with = "object")]
    pub args: Json,
}

/// One mutation of a push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushEntry {
    /// Position in the client's sequence for this shard, from 1.
    #[serde(deserialize_with = "integer")]
    pub client_seq: u64,
    /// 22 base64url characters, chosen by the client.
    #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
    pub mutation_id: Option<String>,
    /// `file:export`.
    #[serde(deserialize_with = "name")]
    pub function_path: String,
    /// Wire-encoded.
    #[serde(deserialize_with = "object")]
    pub args: Json,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are those of the structs above and of frames.ts")]
pub enum ClientFrame {
    Connect {
        #[serde(deserialize_with = "name")]
        id: String,
        #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        caps: Option<Vec<String>>,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        context: Option<Json>,
    },
    Subscribe {
        #[serde(deserialize_with = "name")]
        id: String,
        query: SubscribedQuery,
    },
    Unsubscribe {
        #[serde(deserialize_with = "name")]
        id: String,
    },
    ShapeSubscribe {
        #[serde(deserialize_with = "name")]
        id: String,
        shape: SubscribedShape,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        since_checkpoint: Option<u64>,
        #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
        since_epoch: Option<String>,
        #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
        since_version: Option<String>,
    },
    ShapeUnsubscribe {
        #[serde(deserialize_with = "name")]
        id: String,
    },
    Push {
        #[serde(deserialize_with = "name")]
        id: String,
        #[serde(deserialize_with = "name")]
        client_id: String,
        entries: Vec<PushEntry>,
        /// Results up to this `clientSeq` have arrived and need not be kept.
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        received: Option<u64>,
    },
    Stream {
        #[serde(deserialize_with = "name")]
        id: String,
        query: StreamedQuery,
        #[serde(default, deserialize_with = "some_integer", skip_serializing_if = "Option::is_none")]
        since_chunk: Option<u64>,
        #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
        generation: Option<String>,
        #[serde(default, deserialize_with = "some_name", skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
    },
    WhisperSubscribe {
        #[serde(deserialize_with = "name")]
        topic: String,
    },
    WhisperUnsubscribe {
        #[serde(deserialize_with = "name")]
        topic: String,
    },
    Whisper {
        #[serde(deserialize_with = "name")]
        topic: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Json>,
    },
}
