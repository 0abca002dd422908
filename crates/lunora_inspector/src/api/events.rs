//! `GET /api/events`

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header::CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use crate::api::Api;
use crate::api::query::Fields;
use crate::reply::Refused;
use crate::timeline::Page;

/// Events of one answer.
const MOST: u64 = 1_000;
/// Unless the query says.
const USUAL: u64 = 200;

/// The events as they are, without reading them again.
pub(crate) fn page_text(page: &Page, with_previous: bool) -> String {
    let previous = if with_previous {
        format!(
            ",\"previous\":{},\"first\":{},\"dropped\":{}",
            page.previous, page.first, page.dropped
        )
    } else {
        String::new()
    };
    format!(
        "{{\"events\":[{}],\"next\":{}{previous}}}",
        page.events.join(","),
        page.next
    )
}

pub(crate) async fn events(State(api): State<Api>, uri: Uri) -> Result<Response, Refused> {
    let fields = Fields::of(
        &uri,
        &["after", "before", "limit", "type", "object", "call", "socket", "search"],
    )?;
    let after = fields.number("after", u64::MAX)?;
    let before = fields.number("before", u64::MAX)?;
    let limit = usize::try_from(fields.number("limit", MOST)?.unwrap_or(USUAL)).unwrap_or(0);
    let filter = fields.filter();
    let page = {
        let timeline = api.hub.timeline();
        match (after, before) {
            (Some(after), before) => timeline.forward(after, before, &filter, limit),
            (None, before) => timeline.backward(before.unwrap_or(u64::MAX), &filter, limit),
        }
    };
    let mut response = page_text(&page, true).into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}
