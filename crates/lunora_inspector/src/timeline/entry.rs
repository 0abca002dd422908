//! One event, with what it is found by.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// Longest text of an event, bytes. The worker's side bounds what it sends far below.
const LONGEST: usize = 4 * 1024 * 1024;
/// What an entry costs besides its text: itself, and its places in the lists.
const OVERHEAD: usize = 400;
/// What one more key costs: its text is shared, its list may be its own.
const KEY_OVERHEAD: usize = 280;

/// Why a text is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryError {
    /// It is no JSON object.
    NoObject,
    /// It has no `type` of 1 to 24 lower-case letters, or no `at`.
    NoEvent,
    /// It is longer than anything that is sent.
    TooLong,
}

impl fmt::Display for EntryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoObject => "it is no JSON object",
            Self::NoEvent => "it has no `type` of lower-case letters, or no `at`",
            Self::TooLong => "it is too long",
        })
    }
}

/// An event as it is kept.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `call`, `commit`, `poke` …
    pub(super) kind: Arc<str>,
    /// Epoch milliseconds.
    pub(super) at: u64,
    pub(super) object: Option<Arc<str>>,
    pub(super) socket: Option<Arc<str>>,
    /// Calls that it is of, or that caused it.
    pub(super) calls: Box<[Arc<str>]>,
    /// Of a commit or poke: the newest position before, and after.
    pub(super) range: Option<(u64, u64)>,
    /// Of a socket.
    pub(super) state: Option<SocketState>,
    pub(super) region: Option<Arc<str>>,
    /// What a `dropped` event counts.
    pub(super) dropped: u64,
    /// The event as JSON without its braces and its number.
    body: Box<str>,
}

/// What an event says of its socket, or of all of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketState {
    Open,
    Closed,
    /// Of an object that was thrown out of memory.
    AllLost,
}

fn text<'a>(event: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    event
        .get(field)?
        .as_str()
        .filter(|text| !text.is_empty() && text.len() <= 1024)
}

fn shared(event: &Map<String, Value>, field: &str) -> Option<Arc<str>> {
    text(event, field).map(Arc::from)
}

/// `call` and `parent`, and `calls` of texts (a poke) or of objects with a `call` (a commit).
fn calls(event: &Map<String, Value>) -> Box<[Arc<str>]> {
    let several = event.get("calls").and_then(Value::as_array);
    let named = several.into_iter().flatten().filter_map(|call| match call {
        Value::String(id) => Some(id.as_str()),
        Value::Object(cause) => text(cause, "call"),
        _ => None,
    });
    let own = [text(event, "call"), text(event, "parent")].into_iter().flatten();
    let mut all: Vec<Arc<str>> = own.chain(named).map(Arc::from).collect();
    all.sort_unstable();
    all.dedup();
    all.into_boxed_slice()
}

/// Milliseconds or a position, which JavaScript may write as `3.0`.
fn whole(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // Exact below 2^53; what is not is no time and no position.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        ((0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    })
}

impl Entry {
    /// An event of JSON text. `region` is where it happened, unless the event says so itself.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(line: &str, region: Option<&str>) -> Result<Self, EntryError> {
        if line.len() > LONGEST {
            return Err(EntryError::TooLong);
        }
        match serde_json::from_str(line) {
            Ok(Value::Object(event)) => Self::of(event, region),
            _ => Err(EntryError::NoObject),
        }
    }

    /// An event of a JSON object.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(mut event: Map<String, Value>, region: Option<&str>) -> Result<Self, EntryError> {
        // The number is given here.
        event.shift_remove("n");
        if let (false, Some(region)) = (event.contains_key("region"), region) {
            event.insert("region".to_owned(), region.into());
        }
        let kind = text(&event, "type")
            .filter(|kind| kind.len() <= 24 && kind.bytes().all(|byte| byte.is_ascii_lowercase()))
            .ok_or(EntryError::NoEvent)?;
        let at = whole(event.get("at")).ok_or(EntryError::NoEvent)?;
        let has_range = matches!(kind, "commit" | "poke");
        let range = has_range
            .then(|| Some((whole(event.get("fromSeq"))?, whole(event.get("toSeq"))?)))
            .flatten();
        let state = match (kind, text(&event, "state")) {
            ("socket", Some("closed")) => Some(SocketState::Closed),
            ("socket", Some(_)) => Some(SocketState::Open),
            ("fault", Some("armed" | "happened")) if text(&event, "fault") == Some("evict") => {
                Some(SocketState::AllLost)
            }
            _ => None,
        };
        let body = serde_json::to_string(&event).map_err(|_| EntryError::NoObject)?;
        Ok(Self {
            kind: kind.into(),
            at,
            object: shared(&event, "object"),
            socket: shared(&event, "socket"),
            calls: calls(&event),
            range,
            state,
            region: shared(&event, "region"),
            dropped: if kind == "dropped" {
                whole(event.get("count")).unwrap_or(0)
            } else {
                0
            },
            body: body[1..body.len() - 1].into(),
        })
    }

    /// An event of an object whose text is at hand: JSON without its braces. What else it is found by is put in by whoever
    /// makes it.
    pub(super) fn made(kind: &str, at: u64, object: Arc<str>, region: Option<Arc<str>>, body: String) -> Self {
        Self {
            kind: kind.into(),
            at,
            object: Some(object),
            socket: None,
            calls: Box::default(),
            range: None,
            state: None,
            region,
            dropped: 0,
            body: body.into_boxed_str(),
        }
    }

    /// Says that `count` events were lost before they came here. `at` is in epoch milliseconds.
    #[must_use]
    pub fn lost(at: u64, count: u64) -> Self {
        let kind = Arc::from("dropped");
        Self {
            body: format!("\"type\":\"{kind}\",\"at\":{at},\"count\":{count}").into(),
            kind,
            at,
            object: None,
            socket: None,
            calls: Box::default(),
            range: None,
            state: None,
            region: None,
            dropped: count,
        }
    }

    /// Bytes of memory that it takes, about; the test of the timeline's memory holds it against what is allocated.
    #[must_use]
    pub fn cost(&self) -> usize {
        let keys = self.calls.len() + usize::from(self.socket.is_some()) + 2 * usize::from(self.range.is_some());
        let texts: usize = self.calls.iter().map(|call| call.len()).sum();
        self.body.len() + texts + OVERHEAD + keys * KEY_OVERHEAD
    }

    /// The event as JSON text with its number.
    #[must_use]
    pub fn json(&self, number: u64) -> String {
        format!("{{\"n\":{number},{}}}", self.body)
    }

    /// The event, when it is a line of a log.
    #[must_use]
    pub fn log(&self) -> Option<Map<String, Value>> {
        if &*self.kind != "log" {
            return None;
        }
        serde_json::from_str(&format!("{{{}}}", self.body)).ok()
    }

    /// Whether the event's text contains `lowercase`, whatever the case of its ASCII letters.
    pub(super) fn contains(&self, lowercase: &str) -> bool {
        let (hay, needle) = (self.body.as_bytes(), lowercase.as_bytes());
        let Some(first) = needle.first() else { return true };
        hay.windows(needle.len())
            .any(|window| window[0].to_ascii_lowercase() == *first && window.eq_ignore_ascii_case(needle))
    }
}
