//! The inbox over HTTP. Who may ask is decided before a request comes here.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lunora_diagnostics::Diagnostic;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::delivery::Simulation;
use super::extract::{codes_of_text, links_of_text, push_link};
use super::failure::{Refusal, invalid, not_found};
use super::html_scan::scan;
use super::inbound::{InboundAnswer, InboundRequest, blocking, simulate};
use super::inbox::{Inbox, MailPage};
use super::limits::{BODY_BYTES, HTML_BYTES};
use super::message::{Parsed, PartSummary};
use super::page::{page, served_policy};
use super::record::MailSummary;
use crate::tickets::Tickets;

/// Mails of one answer at most.
const MOST_LISTED: usize = 500;

#[derive(Clone)]
struct Shared {
    inbox: Arc<Inbox>,
    simulation: Simulation,
    tickets: Tickets,
}

/// The routes below `/api/mail`. The caller guards them, and lets in who has one of the tickets.
pub fn router(inbox: Arc<Inbox>, simulation: Simulation, tickets: Tickets) -> Router {
    Router::new()
        .route("/api/mail", get(list))
        .route("/api/mail/{id}", get(show))
        .route("/api/mail/{id}/raw", get(raw))
        .route("/api/mail/{id}/part/{number}", get(part))
        .route("/api/mail/{id}/html", get(html))
        .route("/api/mail/read", post(read))
        .route("/api/mail/delete", post(delete))
        .route("/api/mail/clear", post(clear))
        .route("/api/mail/inbound", post(inbound))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(Shared {
            inbox,
            simulation,
            tickets,
        })
}

/// A mail, opened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MailDetail {
    #[serde(flatten)]
    summary: MailSummary,
    cc: Vec<String>,
    bcc: Vec<String>,
    reply_to: Vec<String>,
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    /// Where a frame, which sends no token, finds the page of a mail that has HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<String>,
    links: Vec<String>,
    codes: Vec<String>,
    parts: Vec<PartSummary>,
}

#[derive(Debug, Deserialize)]
struct ListQuery {
    after: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    search: String,
}

#[derive(Debug, Deserialize)]
struct HtmlQuery {
    #[serde(default)]
    remote: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Ids {
    #[serde(default)]
    ids: Vec<String>,
}

/// An answer that says nothing but that it is done.
#[derive(Debug, Serialize)]
struct Done {}

type Answer<T> = Result<T, Refusal>;

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Diagnostic> {
    let Query(value) = query.map_err(|error| invalid(error.body_text()))?;
    Ok(value)
}

fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Diagnostic> {
    let Json(value) = body.map_err(|error| invalid(error.body_text()))?;
    Ok(value)
}

async fn list(State(shared): State<Shared>, asked: Result<Query<ListQuery>, QueryRejection>) -> Answer<Json<MailPage>> {
    let asked = query(asked)?;
    let limit = asked.limit.unwrap_or(100).clamp(1, MOST_LISTED);
    let found = blocking(move || Ok(shared.inbox.list(&asked.search, asked.after.as_deref(), limit))).await?;
    Ok(Json(found))
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Json<MailDetail>> {
    let shown = blocking(move || {
        let (summary, unnamed) = shared.inbox.summary(&id)?;
        let raw = shared.inbox.raw(&id)?;
        let parsed = Parsed::of(&raw)?;
        let (text, html) = (parsed.text(), parsed.html());
        let found = html.as_deref().map(scan).unwrap_or_default();
        let mut links = found.links;
        for link in links_of_text(text.as_deref().unwrap_or_default()) {
            push_link(&mut links, &link);
        }
        let codes = codes_of_text(text.as_deref().unwrap_or(&found.text));
        let mut bcc = parsed.envelope.bcc.clone();
        bcc.extend(unnamed);
        // What is too large to be shown is still to be downloaded as a part.
        let html = html.filter(|html| html.len() <= HTML_BYTES);
        Ok(MailDetail {
            frame: html.is_some().then(|| shared.tickets.path_of_mail(&id)),
            cc: parsed.envelope.cc.clone(),
            bcc,
            reply_to: parsed.envelope.reply_to.clone(),
            headers: parsed.headers.clone(),
            parts: parsed.parts(),
            summary,
            text,
            html,
            links,
            codes,
        })
    })
    .await?;
    Ok(Json(shown))
}

/// Bytes that a browser saves and never shows.
fn download(media_type: &str, name: &str, bytes: Vec<u8>) -> Response {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(media_type).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
    );
    guarded(headers, "default-src 'none'; sandbox");
    response
}

fn guarded(headers: &mut axum::http::HeaderMap, policy: &str) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

async fn raw(State(shared): State<Shared>, Path(id): Path<String>) -> Answer<Response> {
    let name = format!("{id}.eml");
    let bytes = blocking(move || shared.inbox.raw(&id)).await?;
    Ok(download("message/rfc822", &name, bytes))
}

async fn part(State(shared): State<Shared>, Path((id, number)): Path<(String, String)>) -> Answer<Response> {
    let (name, bytes) = blocking(move || {
        let raw = shared.inbox.raw(&id)?;
        let parsed = Parsed::of(&raw)?;
        let leaf = number
            .parse::<usize>()
            .ok()
            .and_then(|number| parsed.leaves.get(number))
            .ok_or_else(|| not_found(&format!("part `{}` of the mail", number.escape_debug())))?;
        let name = leaf.name.clone().unwrap_or_else(|| format!("part-{number}"));
        Ok((name, parsed.bytes(leaf).into_owned()))
    })
    .await?;
    // Whatever it says it is, it is bytes here.
    Ok(download("application/octet-stream", &name, bytes))
}

async fn html(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: Result<Query<HtmlQuery>, QueryRejection>,
) -> Answer<Response> {
    let remote = query(asked)?.remote.as_deref() == Some("1");
    let page = blocking(move || {
        let raw = shared.inbox.raw(&id)?;
        page(&Parsed::of(&raw)?, remote)
    })
    .await?;
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    guarded(headers, &served_policy(remote));
    Ok(response)
}

async fn read(State(shared): State<Shared>, asked: Result<Json<Ids>, JsonRejection>) -> Answer<Json<Done>> {
    let Ids { ids } = body(asked)?;
    blocking(move || shared.inbox.read(&ids)).await?;
    Ok(Json(Done {}))
}

async fn delete(State(shared): State<Shared>, asked: Result<Json<Ids>, JsonRejection>) -> Answer<Json<Done>> {
    let Ids { ids } = body(asked)?;
    blocking(move || shared.inbox.delete(&ids)).await?;
    Ok(Json(Done {}))
}

async fn clear(State(shared): State<Shared>, asked: Result<Json<Ids>, JsonRejection>) -> Answer<Json<Done>> {
    body(asked)?;
    blocking(move || shared.inbox.clear()).await?;
    Ok(Json(Done {}))
}

async fn inbound(
    State(shared): State<Shared>,
    asked: Result<Json<InboundRequest>, JsonRejection>,
) -> Answer<Json<InboundAnswer>> {
    let request = body(asked)?;
    Ok(Json(simulate(shared.inbox, shared.simulation, request).await?))
}
