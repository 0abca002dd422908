//! `WS /api/feed`: the timeline as it grows.
//!
//! A feed holds nothing but the number that it has read up to: the timeline itself is its buffer. A reader that is slow makes
//! its own feed wait, and when the timeline has let go of what it had yet to read, it is told how much.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use lunora_diagnostics::codes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::Api;
use crate::api::events::page_text;
use crate::guard::FEED_PROTOCOL;
use crate::reply::{Refused, bad_request};
use crate::timeline::Filter;

/// Events of one frame.
const MOST: usize = 500;
/// How long events are gathered after the last that were sent; the first after a quiet time go at once.
const GATHERING: Duration = Duration::from_millis(25);
/// Bytes of what a reader says.
const LONGEST: usize = 16 * 1024;
/// Close codes of RFC 6455.
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;

/// What a reader wants; it may say so again at any time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Number of the last event that it has.
    after: u64,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    call: Option<String>,
    #[serde(default)]
    socket: Option<String>,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        // By way of a map: a list would be taken as the fields in their order.
        serde_json::from_str(text).and_then(|map: Map<String, Value>| serde_json::from_value(Value::Object(map)))
    }

    fn filter(&self) -> Filter {
        Filter {
            types: self.types.clone(),
            object: self.object.clone(),
            call: self.call.clone(),
            socket: self.socket.clone(),
            search: None,
            with_dropped: true,
        }
    }
}

pub(crate) async fn feed(
    State(api): State<Api>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let upgrade = upgrade.map_err(|error| bad_request(format!("the feed is a WebSocket: {error}")))?;
    Ok(upgrade
        .protocols([FEED_PROTOCOL])
        .max_message_size(LONGEST)
        .max_frame_size(LONGEST)
        .on_upgrade(move |socket| follow(api, socket)))
}

/// What there is to do next.
enum Next {
    Grown,
    Said(Message),
    Gone,
    Closing,
}

async fn follow(api: Api, mut socket: WebSocket) {
    let _open = api.hub.open_feed();
    let mut growth = api.hub.growth();
    let mut wanted: Option<(u64, Filter)> = None;
    let mut sent = Instant::now();
    loop {
        let next = tokio::select! {
            () = api.stop.cancelled() => Next::Closing,
            said = socket.recv() => match said {
                Some(Ok(message)) => Next::Said(message),
                Some(Err(_)) | None => Next::Gone,
            },
            // Fails only when the hub is gone, which this task holds.
            _ = growth.changed(), if wanted.is_some() => Next::Grown,
        };
        match next {
            Next::Gone => return,
            Next::Closing => return close(socket, GOING_AWAY, "the server ends").await,
            Next::Said(Message::Text(text)) => match Wanted::parse(&text) {
                Ok(said) => wanted = Some((said.after, said.filter())),
                Err(error) => {
                    let message = format!("a reader says `{{\"after\": n, \"types\": […]}}`: {error}");
                    let error = json!({ "error": { "code": codes::BAD_REQUEST, "message": message } });
                    drop(socket.send(Message::text(error.to_string())).await);
                    return close(socket, POLICY, "not understood").await;
                }
            },
            Next::Said(Message::Binary(_)) => return close(socket, POLICY, "only text is understood").await,
            // Pings are answered below; a close ends the stream.
            Next::Said(_) => continue,
            Next::Grown => tokio::time::sleep_until(sent + GATHERING).await,
        }
        growth.mark_unchanged();
        if let Some((after, filter)) = &mut wanted
            && send(&api, &mut socket, after, filter).await.is_err()
        {
            return;
        }
        sent = Instant::now();
    }
}

/// Sends all that there is behind `after`.
async fn send(api: &Api, socket: &mut WebSocket, after: &mut u64, filter: &Filter) -> Result<(), axum::Error> {
    loop {
        let (page, end) = {
            let timeline = api.hub.timeline();
            (timeline.forward(*after, None, filter, MOST), timeline.next() - 1)
        };
        // Who begins at the beginning has not fallen behind.
        if page.lost > 0 && *after > 0 {
            socket
                .send(Message::text(json!({ "lagged": page.lost }).to_string()))
                .await?;
        }
        let moved = page.next != *after;
        *after = page.next;
        if !page.events.is_empty() {
            socket.send(Message::text(page_text(&page, false))).await?;
        }
        if !moved || *after >= end {
            return Ok(());
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // Who has gone already needs no farewell.
    drop(socket.send(Message::Close(Some(frame))).await);
}
