//! Events as they happen, over reloads and restarts of the development server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lunora_diagnostics::codes;
use serde_json::{Value as Json, json};

use super::show::{number, text};
use crate::inspector_api::InspectorApi;
use crate::lines::{Lines, Unwritten};
use crate::transfer::failure::Failure;

/// How often it is looked whether a server runs again, and whether somebody still reads.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// What has to be told.
#[derive(Debug, PartialEq)]
pub(super) enum News {
    /// It happened.
    Event(Json),
    /// So many events are not known here.
    Missed(u64),
    /// The server has ended; the next one is waited for.
    Waiting,
    /// Another server runs, which knows nothing of what was before.
    Restarted,
}

/// Where a reader of the timeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The last event that was read.
    after: u64,
}

impl Place {
    /// Behind everything that has happened; `status` is the inspector's answer.
    pub(super) fn now(status: &Json) -> Self {
        let next = status.get("timeline").map_or(0, |timeline| number(timeline, "next"));
        Self {
            after: next.saturating_sub(1),
        }
    }

    /// Behind an event.
    pub(super) fn behind(after: u64) -> Self {
        Self { after }
    }

    /// The number that the next event will get.
    pub(super) fn next(self) -> u64 {
        self.after + 1
    }

    /// What a frame of the feed brings.
    fn take(&mut self, frame: &mut Json) -> Vec<News> {
        let mut news = Vec::new();
        let lagged = number(frame, "lagged");
        if lagged > 0 {
            news.push(News::Missed(lagged));
        }
        let Some(Json::Array(events)) = frame.get_mut("events").map(Json::take) else {
            return news;
        };
        for event in events {
            let n = number(&event, "n");
            // A feed that was opened anew may begin with what is known already.
            if n <= self.after {
                continue;
            }
            self.after = n;
            if event.get("type") == Some(&json!("dropped")) {
                news.push(News::Missed(number(&event, "count")));
            } else {
                news.push(News::Event(event));
            }
        }
        self.after = self.after.max(number(frame, "next").saturating_sub(1));
        news
    }
}

/// What is read, and of whom.
pub(super) struct Reader<'call> {
    pub root: PathBuf,
    /// Types of events; what was dropped is told with any.
    pub types: &'call [&'call str],
    pub object: Option<&'call str>,
    pub socket: Option<&'call str>,
    pub place: Place,
}

/// Who is told: lines for standard output.
type Tell<'call> = dyn Fn(&News) -> Option<String> + 'call;

impl Reader<'_> {
    /// Writes what happens until nobody reads any more.
    ///
    /// # Errors
    /// When the inspector refuses, or standard output cannot be written.
    pub(super) async fn follow(
        mut self,
        mut api: InspectorApi,
        lines: &mut Lines,
        tell: &Tell<'_>,
    ) -> Result<(), Failure> {
        loop {
            let told = match self.read(&api, lines, tell).await {
                Ok(()) => self.again(&mut api, lines, tell).await,
                Err(stop) => Err(stop),
            };
            match told {
                Ok(()) => {}
                Err(Stop::Closed) => return Ok(()),
                Err(Stop::Failed(failure)) => return Err(*failure),
            }
        }
    }

    /// Reads one feed to its end.
    async fn read(&mut self, api: &InspectorApi, lines: &mut Lines, tell: &Tell<'_>) -> Result<(), Stop> {
        let types: Vec<&str> = self.types.iter().copied().chain(["dropped"]).collect();
        let mut wanted = json!({ "after": self.place.after, "types": types });
        for (name, value) in [("object", self.object), ("socket", self.socket)] {
            if let Some(value) = value {
                wanted[name] = json!(value);
            }
        }
        let mut feed = match api.feed(&wanted).await {
            Ok(feed) => feed,
            Err(failure) if failure.is_code(codes::NETWORK_FAILED.as_str()) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        let mut look = tokio::time::interval(LOOK_PAUSE);
        loop {
            tokio::select! {
                frame = feed.next() => match frame {
                    Ok(Some(mut frame)) => {
                        if let Some(error) = frame.get("error") {
                            return Err(Failure::answer(text(error, "message")).into());
                        }
                        say(lines, tell, &self.place.take(&mut frame))?;
                    }
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        let failure = Failure::from(error);
                        return if failure.is_code(codes::NETWORK_FAILED.as_str()) { Ok(()) } else { Err(failure.into()) };
                    }
                },
                _ = look.tick() => if lines.is_closed() { return Err(Stop::Closed) },
            }
        }
    }

    /// Waits for the inspector, this one or the next.
    async fn again(&mut self, api: &mut InspectorApi, lines: &mut Lines, tell: &Tell<'_>) -> Result<(), Stop> {
        let mut is_told = false;
        loop {
            tokio::time::sleep(LOOK_PAUSE).await;
            match reach(&self.root).await? {
                Some(found) => {
                    if found.entry().run() != api.entry().run() {
                        self.place = Place::behind(0);
                        say(lines, tell, &[News::Restarted])?;
                    }
                    *api = found;
                    return Ok(());
                }
                None if lines.is_closed() => return Err(Stop::Closed),
                None if !is_told => {
                    is_told = true;
                    say(lines, tell, &[News::Waiting])?;
                }
                None => {}
            }
        }
    }
}

async fn reach(root: &Path) -> Result<Option<InspectorApi>, Stop> {
    match InspectorApi::reach_in(root).await {
        Ok(api) => Ok(Some(api)),
        Err(failure) if failure.is_code(codes::INSPECTOR_NOT_RUNNING.as_str()) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Why nothing more is told.
enum Stop {
    /// Nobody reads any more.
    Closed,
    Failed(Box<Failure>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Unwritten> for Stop {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Closed => Self::Closed,
            Unwritten::Failed(error) => Failure::internal(format!("standard output cannot be written: {error}")).into(),
        }
    }
}

fn say(lines: &mut Lines, tell: &Tell<'_>, news: &[News]) -> Result<(), Stop> {
    for one in news {
        if let Some(text) = tell(one) {
            lines.write(&text)?;
        }
    }
    Ok(())
}

/// What is not an event, as a document or a line.
pub(super) fn remark(news: &News, is_json: bool) -> Option<String> {
    let (document, line) = match news {
        News::Event(_) => return None,
        News::Missed(count) => (
            json!({ "missed": count }),
            format!("… {count} events, of this kind or another, were let go before they could be told here"),
        ),
        News::Waiting => (
            json!({ "waiting": true }),
            "… the development server has ended; the next one is waited for".to_owned(),
        ),
        News::Restarted => (
            json!({ "restarted": true }),
            "… another development server runs: this is its beginning".to_owned(),
        ),
    };
    Some(if is_json {
        format!("{document}\n")
    } else {
        format!("{line}\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_told_once_and_in_order() {
        let mut place = Place::now(&json!({ "timeline": { "next": 5 } }));
        assert_eq!(place, Place::behind(4));
        let mut frame = json!({ "events": [{ "n": 4 }, { "n": 5 }, { "n": 9 }], "next": 12 });
        assert_eq!(
            place.take(&mut frame),
            [News::Event(json!({ "n": 5 })), News::Event(json!({ "n": 9 }))]
        );
        assert_eq!(place, Place::behind(11), "events of other types lay in between");
        assert_eq!(place.take(&mut json!({ "events": [{ "n": 9 }], "next": 10 })), []);
        assert_eq!(place, Place::behind(11));
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut place = Place::behind(0);
        assert_eq!(place.take(&mut json!({ "lagged": 3 })), [News::Missed(3)]);
        let mut frame = json!({ "events": [{ "n": 1, "type": "dropped", "count": 7 }], "next": 2 });
        assert_eq!(place.take(&mut frame), [News::Missed(7)]);
        assert_eq!(place.take(&mut json!({ "another": "kind" })), []);
        assert_eq!(place, Place::behind(1));
    }

    #[test]
    fn remarks_are_documents_or_lines() {
        assert_eq!(remark(&News::Missed(2), true), Some("{\"missed\":2}\n".to_owned()));
        assert_eq!(remark(&News::Event(json!({})), true), None);
        for news in [News::Missed(2), News::Waiting, News::Restarted] {
            assert_eq!(remark(&news, false).map(|line| line.lines().count()), Some(1));
        }
    }
}
