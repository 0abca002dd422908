//! Events that have happened, and then those that happen.

use serde_json::{Value as Json, json};

use super::follow::{News, Place, Reader, remark};
use super::show::number;
use crate::arguments::ProjectArguments;
use crate::inspector_api::{InspectorApi, root_of};
use crate::lines::Lines;
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::{Answer, carry_out};

/// Most events that are asked for at once.
const PAGE: u64 = 1000;

/// What is wanted of the timeline.
pub(super) struct Wanted<'call> {
    pub project: &'call ProjectArguments,
    pub types: &'call [&'call str],
    pub object: Option<&'call str>,
    pub socket: Option<&'call str>,
    /// At most so many of the newest that count.
    pub limit: u32,
    pub follow: bool,
}

/// What an event comes to: documents and lines, one below the other; nothing where it is filtered out.
pub(super) struct Telling<'call> {
    pub documents: &'call (dyn Fn(Json) -> Vec<Json> + Sync),
    pub line: &'call (dyn Fn(&Json) -> String + Sync),
}

impl Telling<'_> {
    fn text(&self, documents: &[Json], is_json: bool) -> String {
        let line = |document: &Json| {
            if is_json {
                format!("{document}\n")
            } else {
                format!("{}\n", (self.line)(document))
            }
        };
        documents.iter().map(line).collect()
    }
}

/// Carries a command out that tells of events.
pub(super) fn tell(options: &CommandOptions, wanted: &Wanted<'_>, telling: &Telling<'_>) -> CommandOutcome {
    let is_json = wanted.project.json;
    carry_out(options, is_json, || async {
        let root = root_of(options, wanted.project)?;
        let mut api = InspectorApi::reach_in(&root).await?;
        let (documents, place) = newest(&mut api, wanted, telling).await?;
        if !wanted.follow {
            return Ok(Answer {
                exit_code: 0,
                text: telling.text(&documents, false),
                json: json!({ "events": documents }),
            });
        }
        let unwritable = |error: std::io::Error| Failure::internal(error.to_string());
        let mut lines = Lines::standard().map_err(unwritable)?;
        let reader = Reader {
            root,
            types: wanted.types,
            object: wanted.object,
            socket: wanted.socket,
            place,
        };
        let said = |news: &News| match news {
            News::Event(event) => Some(telling.text(&(telling.documents)(event.clone()), is_json)),
            other => remark(other, is_json),
        };
        match lines.write(&telling.text(&documents, is_json)) {
            Ok(()) => reader.follow(api, &mut lines, &said).await?,
            Err(crate::lines::Unwritten::Closed) => {}
            Err(crate::lines::Unwritten::Failed(error)) => return Err(unwritable(error)),
        }
        Ok(Answer::said())
    })
}

/// The newest events that count, in their order, and the place behind all that there are.
async fn newest(
    api: &mut InspectorApi,
    wanted: &Wanted<'_>,
    telling: &Telling<'_>,
) -> Result<(Vec<Json>, Place), Failure> {
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let place = Place::now(&api.get("status", &[]).await?);
    let mut before = place.next();
    let mut groups: Vec<Vec<Json>> = Vec::new();
    let mut found = 0;
    loop {
        let (types, page, next) = (wanted.types.join(","), PAGE.to_string(), before.to_string());
        let mut query = vec![("type", types.as_str()), ("limit", &page), ("before", &next)];
        query.extend(wanted.object.map(|object| ("object", object)));
        query.extend(wanted.socket.map(|socket| ("socket", socket)));
        let mut answer = api.get("events", &query).await?;
        let Some(Json::Array(events)) = answer.get_mut("events").map(Json::take) else {
            return Err(Failure::answer("it has no `events`"));
        };
        let page: Vec<Json> = events.into_iter().flat_map(telling.documents).collect();
        found += page.len();
        groups.push(page);
        // Everything from there on has been looked at.
        let previous = number(&answer, "previous");
        if found >= limit || previous <= number(&answer, "first") || previous >= before {
            break;
        }
        before = previous;
    }
    let all: Vec<Json> = groups.into_iter().rev().flatten().collect();
    let surplus = all.len().saturating_sub(limit);
    Ok((all.into_iter().skip(surplus).collect(), place))
}
