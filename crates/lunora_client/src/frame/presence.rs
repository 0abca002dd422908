//! The frames of a room's socket, as they are written in `npm/protocol/src/presence-frames.ts`.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ErrorBody;
use super::field::{integer, name, present};

/// Who a page was before its connection broke, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceResume {
    /// The member.
    #[serde(deserialize_with = "name")]
    pub member_id: String,
    /// What it alone was told.
    #[serde(deserialize_with = "name")]
    pub key: String,
}

/// What a page sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PresenceClientFrame {
    /// First and once.
    Join {
        /// Names the frame in its answer.
        #[serde(deserialize_with = "name")]
        id: String,
        /// Wire-encoded.
        data: Json,
        /// To come back.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        resume: Option<PresenceResume>,
    },
    /// Says something else of the page.
    Update {
        /// Names the frame in its refusal.
        #[serde(deserialize_with = "name")]
        id: String,
        /// Wire-encoded.
        data: Json,
    },
    /// Gone for good.
    Leave {},
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceMember {
    /// Unique in the room.
    pub member_id: String,
    /// `None`: nobody is signed in.
    pub user_id: Option<String>,
    /// Wire-encoded.
    pub data: Json,
    /// Milliseconds since 1970.
    #[serde(deserialize_with = "integer")]
    pub joined_at: u64,
}

/// What a member says of itself now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceUpdate {
    /// The member.
    pub member_id: String,
    /// Wire-encoded.
    pub data: Json,
}

/// What a room sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PresenceServerFrame {
    /// The page is in.
    Joined {
        /// Of the frame that asked.
        id: String,
        /// Who the page is.
        member_id: String,
        /// Proves to be the member when the connection has broken.
        key: String,
        /// Who is there, the page among them.
        members: Vec<PresenceMember>,
    },
    /// What changed.
    Presence {
        /// Who came.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        joined: Option<Vec<PresenceMember>>,
        /// Who says something else.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        updated: Option<Vec<PresenceUpdate>>,
        /// Who went.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        left: Option<Vec<String>>,
    },
    /// A frame was refused, or the socket is about to be closed.
    Error {
        /// The frame; absent when it is the socket's.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why.
        error: ErrorBody,
    },
}
