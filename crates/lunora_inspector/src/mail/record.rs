//! What is known of a mail beside its raw message.

use serde::{Deserialize, Serialize};

/// Which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The app sent it.
    Sent,
    /// It was delivered to the app.
    Inbound,
}

/// What the worker's `email()` did with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutcomeKind {
    /// It took it.
    Accepted,
    /// It called `setReject`.
    Rejected,
    /// It threw.
    Failed,
}

/// How a delivery came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What it did.
    pub outcome: OutcomeKind,
    /// Why it was rejected, or what was thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it was forwarded to.
    pub forwarded: Vec<String>,
    /// Ids of the mails that were sent in reply.
    pub replies: Vec<String>,
}

/// A mail in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailSummary {
    /// Names it; later mails have greater ids.
    pub id: String,
    /// When it was captured, in milliseconds since the epoch.
    pub at: u64,
    /// Who sent it.
    pub from: String,
    /// Who got it.
    pub to: Vec<String>,
    /// What it is about.
    pub subject: String,
    /// Somebody has opened it.
    pub is_read: bool,
    /// Bytes of the raw message.
    pub size: u64,
    /// How many files came with it.
    pub attachments: usize,
    /// Which way it went.
    pub direction: Direction,
    /// The call that sent it, or that took an inbound one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The function that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_path: Option<String>,
    /// The region whose data it holds, and in whose folder it lies.
    pub region: Option<String>,
    /// The inbound mail that it forwards or answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// How its delivery came out, of an inbound mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What is on disk beside the raw message, and in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    #[serde(flatten)]
    pub summary: MailSummary,
    /// Recipients that are not in the message.
    #[serde(default)]
    pub bcc: Vec<String>,
    /// The begin of its text, for the search.
    pub excerpt: String,
}

/// Cuts a text at so many characters.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
