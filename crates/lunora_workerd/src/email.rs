//! Raises `email()` in the worker.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Request;
use lunora_diagnostics::{Diagnostic, codes};
use serde::Deserialize;

use crate::events_socket::EventsSocket;

/// What the handler did with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailOutcome {
    /// It took it.
    Accepted,
    /// It called `setReject` with this reason.
    Rejected(String),
    /// It threw this.
    Failed(String),
}

/// A mail that the handler passed on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EmailForward {
    /// To whom.
    pub to: String,
    /// Headers it added.
    pub headers: Vec<(String, String)>,
}

/// A mail that the handler answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailReply {
    /// The sender of the envelope.
    pub from: String,
    /// The recipient of the envelope.
    pub to: String,
    /// What it says.
    pub content: EmailContent,
}

/// A mail as a handler may give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailContent {
    /// The raw message.
    Raw(Vec<u8>),
    /// Described in JSON, as the inbox takes it.
    Described(serde_json::Value),
}

/// What became of a mail that was given to a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAnswer {
    /// What the handler did with it.
    pub outcome: EmailOutcome,
    /// What it passed on.
    pub forwards: Vec<EmailForward>,
    /// What it answered with.
    pub replies: Vec<EmailReply>,
    /// The call that the handler ran as, where the worker is observed.
    pub call: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    from: String,
    to: String,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    described: serde_json::Value,
}

#[derive(Deserialize)]
struct Answer {
    outcome: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    call: Option<String>,
    forwards: Vec<EmailForward>,
    replies: Vec<Reply>,
}

/// Everything but what URLs carry as it is.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

fn not_delivered(why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        codes::MAIL_NOT_DELIVERED,
        format!("the worker did not take the mail: {why}"),
    )
    .with_help("Look at the development server's output, and deliver the mail again when the worker serves.")
}

impl EventsSocket {
    /// Gives a mail to `email()`: the envelope, the raw message, and its headers as the handler sees them.
    ///
    /// # Errors
    /// `MAIL_NO_HANDLER` when the worker has no `email()`, `MAIL_NOT_DELIVERED` when it does not answer.
    pub async fn email(
        &self,
        from: &str,
        to: &str,
        headers: &[(String, String)],
        raw: &[u8],
    ) -> Result<EmailAnswer, Diagnostic> {
        let mut body = serde_json::to_vec(headers).map_err(not_delivered)?;
        let target = format!("/email?from={}&to={}&split={}", encoded(from), encoded(to), body.len());
        body.extend_from_slice(raw);
        let bytes = self
            .raise(Request::post(target), Bytes::from(body))
            .await
            .map_err(not_delivered)?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(not_delivered)?;
        let reason = answer.reason.unwrap_or_default();
        let outcome = match answer.outcome.as_str() {
            "accepted" => EmailOutcome::Accepted,
            "rejected" => EmailOutcome::Rejected(reason),
            "missing" => {
                return Err(
                    Diagnostic::error(codes::MAIL_NO_HANDLER, "the worker has no `email()` handler")
                        .with_help("Export an `email(message, env, context)` handler from the worker."),
                );
            }
            _ => EmailOutcome::Failed(reason),
        };
        let replies = answer.replies.into_iter().map(|reply| {
            let content = match reply.raw {
                Some(raw) => EmailContent::Raw(STANDARD.decode(&raw).map_err(not_delivered)?),
                None => EmailContent::Described(reply.described),
            };
            Ok(EmailReply {
                from: reply.from,
                to: reply.to,
                content,
            })
        });
        Ok(EmailAnswer {
            outcome,
            forwards: answer.forwards,
            replies: replies.collect::<Result<_, Diagnostic>>()?,
            call: answer.call,
        })
    }
}
