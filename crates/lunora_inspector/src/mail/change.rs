//! What happens to the inbox, told to whoever listens.

use std::sync::Arc;

use serde::Serialize;

/// Hears of every change, after it happened. Must return at once.
pub type Changed = Arc<dyn Fn(MailChange) + Send + Sync>;

/// What happened to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It came.
    Added,
    /// It was marked read.
    Read,
    /// It was deleted, or let go of for newer ones.
    Deleted,
    /// All were deleted.
    Cleared,
}

/// A change of the inbox, as the feed carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailChange {
    /// Always `mail`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When, in milliseconds since the epoch.
    pub at: u64,
    /// Which mail; of a cleared inbox none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What happened.
    pub change: ChangeKind,
}
