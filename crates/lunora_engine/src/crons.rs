//! Rings at the times of `lunora/crons.ts`, where no platform does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunora_ir::{Application, CronExpression};
use lunora_workerd::EventsSocket;
use tokio_util::task::AbortOnDropHandle;

use crate::event::EngineEvent;
use crate::host::EventSink;

/// The clock is looked at again after this long, for the case that it was set, or the machine slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Rings until it is dropped.
#[derive(Default)]
pub(crate) struct CronBell {
    clock: Clock,
    triggers: Vec<String>,
    task: Option<AbortOnDropHandle<()>>,
}

impl CronBell {
    /// One whose clock is so many milliseconds ahead of the machine's.
    pub(crate) fn new(clock_offset: i64) -> Self {
        Self {
            clock: Clock { offset: clock_offset },
            ..Self::default()
        }
    }

    /// Rings at the app's times from now on. Says something only when the worker cannot be reached: a handler that fails
    /// has logged why.
    pub(crate) fn set(&mut self, application: &Application, worker: &EventsSocket, sink: &EventSink) {
        let triggers = application.cron_triggers();
        if triggers == self.triggers {
            return;
        }
        let expressions: Vec<(String, CronExpression)> = triggers
            .iter()
            .filter_map(|text| Some((text.clone(), CronExpression::parse(text).ok()?)))
            .collect();
        self.triggers = triggers;
        self.task = (!expressions.is_empty()).then(|| {
            AbortOnDropHandle::new(tokio::spawn(ring(
                expressions,
                self.clock,
                worker.clone(),
                sink.clone(),
            )))
        });
    }
}

/// What the bell takes for the time.
#[derive(Debug, Default, Clone, Copy)]
struct Clock {
    /// Milliseconds ahead of the machine's clock.
    offset: i64,
}

impl Clock {
    /// Milliseconds since the epoch.
    fn now(self) -> i64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_millis())
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset)
    }
}

/// The next time that any of them names, and those that name it.
fn next(expressions: &[(String, CronExpression)], after: i64) -> Option<(i64, Vec<&str>)> {
    let times: Vec<(i64, &str)> = expressions
        .iter()
        .filter_map(|(text, expression)| Some((expression.next_after(after)?, text.as_str())))
        .collect();
    let first = times.iter().map(|(time, _)| *time).min()?;
    let due = times
        .into_iter()
        .filter(|(time, _)| *time == first)
        .map(|(_, text)| text)
        .collect();
    Some((first, due))
}

async fn ring(expressions: Vec<(String, CronExpression)>, clock: Clock, worker: EventsSocket, sink: EventSink) {
    let mut after = clock.now();
    while let Some((time, due)) = next(&expressions, after) {
        loop {
            let rest = time - clock.now();
            if rest <= 0 {
                break;
            }
            let rest = Duration::from_millis(u64::try_from(rest).unwrap_or(0));
            tokio::time::sleep(rest.min(LONGEST_SLEEP)).await;
        }
        for cron in due {
            let (cron, worker, sink) = (cron.to_owned(), worker.clone(), sink.clone());
            // Beside the clock: one that hangs must not keep the others from ringing.
            tokio::spawn(async move {
                if let Err(error) = worker.scheduled(&cron, time).await {
                    sink(EngineEvent::Notice {
                        message: format!("the crons of `{cron}` did not run: {error}"),
                    });
                }
            });
        }
        // Times that went by while the machine slept are not made up for, as on the platform.
        after = time.max(clock.now() - 60_000);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

    use super::*;

    #[test]
    fn the_next_time_is_the_first_of_all_with_everything_that_names_it() {
        let expressions: Vec<(String, CronExpression)> = ["*/10 * * * *", "*/15 * * * *", "0 5 * * *"]
            .into_iter()
            .map(|text| (text.to_owned(), CronExpression::parse(text).unwrap()))
            .collect();
        let minute = 60_000;
        assert_eq!(next(&expressions, 0), Some((10 * minute, vec!["*/10 * * * *"])));
        assert_eq!(
            next(&expressions, 10 * minute),
            Some((15 * minute, vec!["*/15 * * * *"]))
        );
        assert_eq!(
            next(&expressions, 20 * minute),
            Some((30 * minute, vec!["*/10 * * * *", "*/15 * * * *"]))
        );
        let five = 5 * 60 * minute;
        assert_eq!(next(&expressions, five - 1).unwrap().1.len(), 3);
        assert_eq!(next(&[], 0), None);
    }
}
