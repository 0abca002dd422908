//! `lunora pokes`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::arguments::PokesArguments;
use super::events::{Telling, Wanted, tell};
use super::show::{bytes, clock, count, cut, number, plain, text};
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;

/// Ids of rows that a line names.
const NAMED_ROWS: usize = 4;

fn texts<'json>(json: &'json Json, field: &str) -> Vec<&'json str> {
    let items = json.get(field).and_then(Json::as_array);
    items.into_iter().flatten().filter_map(Json::as_str).collect()
}

fn part(subscription: &Json) -> String {
    let rows = texts(subscription, "rows");
    let mut named: Vec<String> = rows.iter().take(NAMED_ROWS).map(|id| cut(id)).collect();
    if rows.len() > NAMED_ROWS {
        named.push("…".to_owned());
    }
    let line = format!(
        "    {} {}  +{} −{}  {}",
        plain(text(subscription, "kind")),
        cut(text(subscription, "name")),
        number(subscription, "rowsIn"),
        number(subscription, "rowsOut"),
        named.join(" "),
    );
    line.trim_end().to_owned()
}

/// What a poke brought, with a line for each subscription.
pub(super) fn poke_lines(event: &Json) -> String {
    let mut line = format!(
        "{}  {}  socket {}  #{} → #{}  {}, {}, {} ms",
        clock(number(event, "at")),
        cut(text(event, "object")),
        cut(text(event, "socket")),
        number(event, "fromSeq"),
        number(event, "toSeq"),
        count(number(event, "frames"), "frame"),
        bytes(number(event, "bytes")),
        event
            .get("ms")
            .and_then(Json::as_f64)
            .map_or(0.0, |ms| (ms * 10.0).round() / 10.0),
    );
    let calls = texts(event, "calls");
    if !calls.is_empty() {
        let _ = write!(line, "  ← {}", cut(&calls.join(" ")));
    }
    for subscription in event
        .get("subscriptions")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let _ = write!(line, "\n{}", part(subscription));
    }
    line
}

/// Carries the command out.
pub(crate) fn pokes(options: &CommandOptions, arguments: &PokesArguments) -> CommandOutcome {
    let wanted = Wanted {
        project: &arguments.project,
        types: &["poke"],
        object: None,
        socket: arguments.socket.as_deref(),
        limit: arguments.limit,
        follow: arguments.follow,
    };
    let telling = Telling {
        documents: &|event| vec![event],
        line: &poke_lines,
    };
    tell(options, &wanted, &telling)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_poke_says_whom_it_reached_with_what() {
        let event = json!({
            "at": 1_795_262_584_123_u64, "object": "messages:general", "socket": "s1", "fromSeq": 3, "toSeq": 5,
            "frames": 1, "bytes": 1536, "ms": 0.84, "calls": ["c1", "c2"],
            "subscriptions": [
                { "id": "1", "kind": "shape", "name": "recent", "rowsIn": 6, "rowsOut": 1, "rows": ["a", "b", "c", "d", "e"] },
                { "id": "2", "kind": "query", "name": "messages:list", "rowsIn": 0, "rowsOut": 0 },
            ],
        });
        assert_eq!(
            poke_lines(&event),
            "12:03:04.123Z  messages:general  socket s1  #3 → #5  1 frame, 1.5 KiB, 0.8 ms  ← c1 c2\n    \
             shape recent  +6 −1  a b c d …\n    query messages:list  +0 −0"
        );
    }
}
