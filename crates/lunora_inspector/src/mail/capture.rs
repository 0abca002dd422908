//! Mail as it comes from the app, by a socket that only the app's process reaches.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::routing::post;
use axum::{Json, Router};
use lunora_diagnostics::Diagnostic;
use serde::Serialize;

use super::compose::{MailDescription, compose};
use super::failure::{Refusal, invalid};
use super::inbound::{bare, blocking};
use super::inbox::Inbox;
use super::limits::BODY_BYTES;
use super::message::Parsed;
use super::new_mail::NewMail;
use super::record::Direction;

/// What the sender is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Captured {
    id: String,
    message_id: String,
}

/// `POST /mail`: JSON as [`MailDescription`], or a raw message as `message/rfc822` with `from`, `to`, `region`, `call` and
/// `functionPath` in the query. For the private socket alone; nothing here asks who is calling.
pub fn capture_router(inbox: Arc<Inbox>) -> Router {
    Router::new()
        .route("/mail", post(capture))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(inbox)
}

async fn capture(
    State(inbox): State<Arc<Inbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Captured>, Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_raw = content_type.trim().to_ascii_lowercase().starts_with("message/rfc822");
    let captured = blocking(move || {
        let mail = if is_raw {
            raw_mail(query.as_deref().unwrap_or_default(), &body)
        } else {
            described_mail(&body, inbox.now())?
        };
        let parsed = Parsed::of(&mail.raw)?;
        if is_raw {
            check_raw(&parsed, mail.from.as_deref())?;
        }
        let message_id = parsed.envelope.message_id.clone().unwrap_or_default();
        let id = inbox.add(&mail)?;
        Ok(Captured {
            id,
            message_id: format!("<{message_id}>"),
        })
    })
    .await?;
    Ok(Json(captured))
}

/// What the platform asks of a raw message, in its words.
fn check_raw(parsed: &Parsed<'_>, from: Option<&str>) -> Result<(), Diagnostic> {
    if parsed.envelope.message_id.is_none() {
        return Err(invalid("invalid message-id"));
    }
    let sender = bare(&parsed.envelope.from);
    if from.is_some_and(|from| from != sender) {
        return Err(invalid("From: header does not match mail from"));
    }
    if parsed
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("received"))
    {
        return Err(invalid("invalid headers set"));
    }
    Ok(())
}

fn raw_mail(query: &str, body: &Bytes) -> NewMail {
    let mut mail = NewMail::new(body.to_vec(), Direction::Sent);
    for (name, value) in pairs(query) {
        match name.as_str() {
            "from" => mail.from = Some(value),
            "to" => mail.to.push(value),
            "region" if !value.is_empty() => mail.region = Some(value),
            "call" => mail.call = Some(value),
            "functionPath" => mail.function_path = Some(value),
            _ => {}
        }
    }
    mail
}

/// Names and values of a query.
fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decoded(name), decoded(value)))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text)
        .decode_utf8_lossy()
        .into_owned()
}

fn described_mail(body: &Bytes, at: u64) -> Result<NewMail, Diagnostic> {
    let described: MailDescription = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("the mail is not described as it has to be: {error}")))?;
    let random = {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes)
            .map_err(|error| invalid(format!("there is no randomness for a message id: {error}")))?;
        u64::from_le_bytes(bytes)
    };
    let raw = compose(&described, at, &format!("{at:x}.{random:016x}@lunora.invalid"))?;
    let mut mail = NewMail::new(raw, Direction::Sent);
    mail.bcc = described
        .bcc
        .as_slice()
        .iter()
        .map(super::compose::MailAddress::shown)
        .collect::<Result<_, _>>()?;
    mail.region = described.region;
    mail.call = described.call;
    mail.function_path = described.function_path;
    Ok(mail)
}
