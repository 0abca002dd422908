//! How a mail gets to the worker's `email()`, and what comes back.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use lunora_diagnostics::Diagnostic;
use serde_json::Value;

use super::record::OutcomeKind;

/// A mail that the worker is given.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The sender of the envelope.
    pub from: String,
    /// The recipient of the envelope.
    pub to: String,
    /// The raw message.
    pub raw: Bytes,
    /// Its headers, unfolded.
    pub headers: Vec<(String, String)>,
}

/// A mail that the handler passed on.
#[derive(Debug, Clone, Default)]
pub struct Forwarded {
    /// To whom.
    pub to: String,
    /// Headers it added.
    pub headers: Vec<(String, String)>,
}

/// A mail that the handler answered with.
#[derive(Debug, Clone)]
pub struct Replied {
    /// The sender of the envelope.
    pub from: String,
    /// The recipient of the envelope.
    pub to: String,
    /// What it says.
    pub content: ReplyContent,
}

/// A reply as a handler may give it.
#[derive(Debug, Clone)]
pub enum ReplyContent {
    /// The raw message.
    Raw(Vec<u8>),
    /// Described in JSON, as [`MailDescription`].
    Described(Value),
}

/// What the worker did with it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// In a word.
    pub outcome: OutcomeKind,
    /// Why it was rejected, or what was thrown.
    pub reason: Option<String>,
    /// Mails that it passed on.
    pub forwarded: Vec<Forwarded>,
    /// Mails that it answered with.
    pub replies: Vec<Replied>,
    /// The call that the handler ran as, where the worker is observed.
    pub call: Option<String>,
}

/// Gives a mail to the worker's `email()`. Fails with `MAIL_NO_HANDLER` where it has none, and with
/// `MAIL_NOT_DELIVERED` when it does not answer.
pub type Deliver =
    Arc<dyn Fn(Delivery) -> Pin<Box<dyn Future<Output = Result<Delivered, Diagnostic>> + Send>> + Send + Sync>;

/// What was logged for a handler that ran as this call and has ended: events of the timeline, in order. `None` when the
/// worker has not told its end in time, so that lines may be missing.
pub type HandlerLogs = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<Vec<Value>>> + Send>> + Send + Sync>;

/// What a simulation of inbound mail needs.
#[derive(Clone)]
pub struct Simulation {
    /// Brings mail to the worker.
    pub deliver: Deliver,
    /// Finds what was logged meanwhile.
    pub logs: HandlerLogs,
    /// Where the app is pinned to, and so the mail for it that names no other region.
    pub region: Arc<dyn Fn() -> Option<String> + Send + Sync>,
}
