//! Mail for the worker's `email()` handler, simulated.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use serde::{Deserialize, Serialize};

use super::compose::{MailAddress, MailAddresses, MailDescription, compose};
use super::delivery::{Delivered, Delivery, ReplyContent, Simulation};
use super::failure::invalid;
use super::inbox::Inbox;
use super::message::Parsed;
use super::new_mail::NewMail;
use super::record::{Direction, Outcome, OutcomeKind};

/// A mail to simulate: described, or raw.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundRequest {
    from: MailAddress,
    to: MailAddress,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    html: Option<String>,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundAnswer {
    /// The mail in the inbox.
    pub id: String,
    /// How it came out.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The call that the handler ran as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What was logged for it; see [`HandlerLogs`](super::delivery::HandlerLogs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<Vec<serde_json::Value>>,
}

/// The address alone.
pub(crate) fn bare(address: &str) -> String {
    match address.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((_, inner)) => inner.to_owned(),
        None => address.to_owned(),
    }
}

/// The message of a request, and the envelope it is delivered under.
fn message(request: InboundRequest, at: u64) -> Result<(Delivery, Option<String>), Diagnostic> {
    let (from, to) = (bare(&request.from.shown()?), bare(&request.to.shown()?));
    let region = request.region.clone();
    let raw = match request.raw {
        Some(raw) => raw.into_bytes(),
        None => {
            let described = MailDescription {
                from: request.from,
                to: MailAddresses::One(request.to),
                cc: MailAddresses::default(),
                bcc: MailAddresses::default(),
                reply_to: MailAddresses::default(),
                subject: request.subject,
                text: request.text,
                html: request.html,
                headers: request.headers,
                attachments: Vec::new(),
                region: None,
                call: None,
                function_path: None,
            };
            compose(&described, at, &format!("{at:x}.inbound@lunora.invalid"))?
        }
    };
    let parsed = Parsed::of(&raw)?;
    let headers = parsed.headers.clone();
    if parsed.envelope.message_id.is_none() {
        return Err(invalid(
            "the message has no `Message-ID`, without which no mail server takes it",
        ));
    }
    let raw = raw.into();
    let delivery = Delivery { from, to, raw, headers };
    Ok((delivery, region))
}

/// Puts the headers that `forward` was given before the message's own.
fn with_headers(headers: &[(String, String)], raw: &[u8]) -> Vec<u8> {
    let one_line = |text: &str| text.replace(['\r', '\n', '\0'], " ");
    let mut message = Vec::with_capacity(raw.len() + 64);
    for (name, value) in headers {
        message.extend_from_slice(format!("{}: {}\r\n", one_line(name), one_line(value)).as_bytes());
    }
    message.extend_from_slice(raw);
    message
}

/// The message of a reply that was described.
fn reply(value: serde_json::Value, at: u64, id: &str) -> Result<Vec<u8>, Diagnostic> {
    let described: MailDescription = serde_json::from_value(value)
        .map_err(|error| invalid(format!("the reply is not described as it has to be: {error}")))?;
    compose(&described, at, &format!("{at:x}.{id}@lunora.invalid"))
}

/// Keeps the mail, delivers it, and keeps what the worker sent on or back.
///
/// # Errors
/// `MAIL_INVALID`, `MAIL_TOO_LARGE`, `MAIL_NOT_KEPT`, `MAIL_NO_HANDLER`, `MAIL_NOT_DELIVERED`.
pub(crate) async fn simulate(
    inbox: Arc<Inbox>,
    simulation: Simulation,
    request: InboundRequest,
) -> Result<InboundAnswer, Diagnostic> {
    let Simulation {
        deliver,
        logs,
        region: pinned,
    } = simulation;
    let keeping = Arc::clone(&inbox);
    let (delivery, region, id) = blocking(move || {
        let (delivery, region) = message(request, keeping.now())?;
        let mut mail = NewMail::new(delivery.raw.to_vec(), Direction::Inbound);
        mail.from = Some(delivery.from.clone());
        mail.to = vec![delivery.to.clone()];
        let region = region.or_else(|| pinned());
        mail.region.clone_from(&region);
        let id = keeping.add(&mail)?;
        Ok((delivery, region, id))
    })
    .await?;
    let given = delivery.clone();
    let delivered = match deliver(delivery).await {
        Ok(delivered) => delivered,
        Err(refusal) => {
            let outcome = Outcome {
                outcome: OutcomeKind::Failed,
                reason: Some(refusal.message.clone()),
                forwarded: Vec::new(),
                replies: Vec::new(),
            };
            blocking(move || inbox.set_outcome(&id, outcome, None)).await?;
            return Err(refusal);
        }
    };
    let call = delivered.call.clone();
    let kept = id.clone();
    let outcome = blocking(move || keep(&inbox, &kept, region, &given, delivered)).await?;
    let logs = match call.clone() {
        Some(call) => logs(call).await,
        None => None,
    };
    Ok(InboundAnswer {
        id,
        outcome,
        call,
        logs,
    })
}

/// Keeps what became of a mail: its outcome, and what was sent on or back.
fn keep(
    inbox: &Inbox,
    id: &str,
    region: Option<String>,
    given: &Delivery,
    delivered: Delivered,
) -> Result<Outcome, Diagnostic> {
    let mut outcome = Outcome {
        outcome: delivered.outcome,
        reason: delivered.reason,
        forwarded: Vec::new(),
        replies: Vec::new(),
    };
    let call = delivered.call;
    let sent = |raw: Vec<u8>, from: String, to: String| {
        let mut mail = NewMail::new(raw, Direction::Sent);
        mail.region.clone_from(&region);
        mail.from = Some(from);
        mail.to = vec![to];
        mail.call.clone_from(&call);
        mail.caused_by = Some(id.to_owned());
        inbox.add(&mail)
    };
    for one in delivered.forwarded {
        sent(with_headers(&one.headers, &given.raw), given.to.clone(), one.to.clone())?;
        outcome.forwarded.push(one.to);
    }
    for one in delivered.replies {
        let raw = match one.content {
            ReplyContent::Raw(raw) => raw,
            ReplyContent::Described(value) => reply(value, inbox.now(), id)?,
        };
        outcome.replies.push(sent(raw, one.from, one.to)?);
    }
    inbox.set_outcome(id, outcome.clone(), call)?;
    Ok(outcome)
}

/// Does what reads and writes files beside the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Diagnostic> + Send + 'static,
) -> Result<T, Diagnostic> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Diagnostic::error(
            lunora_diagnostics::codes::INTERNAL,
            format!("the inbox failed: {error}"),
        )
    })?
}
