//! One line of the app's console, told twice: by the tap, which knows the call that wrote it, and by workerd, which prints
//! it. The tap's is kept.
//!
//! The tap may be late, so what workerd prints waits for it. The two format values in their own ways: lines are matched by
//! level and text, and what is left when its time is over by level alone. A line that the tap never told, from before it was
//! there or after it let go of some, is taken as it was printed. What is no console's, an exception that nobody caught or
//! workerd's own words, does not wait.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::timeline::Entry;

/// How long a printed line waits for the tap, milliseconds: it sends once a second while nobody looks.
const PATIENCE: u64 = 1_500;
/// Lines that are remembered of either side.
const MOST: usize = 2_000;

/// What workerd printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerLine {
    /// `debug`, `log`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// The text.
    pub text: String,
    /// Epoch milliseconds.
    pub at: u64,
    /// It comes from the app's console, and not from workerd itself.
    pub is_console: bool,
}

/// What the tap told, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TapLine {
    level: String,
    text: String,
}

impl TapLine {
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        let event = entry.log()?;
        let text = |field: &str| event.get(field)?.as_str();
        Some(Self {
            level: text("level")?.to_owned(),
            text: text("text")?.trim().to_owned(),
        })
    }
}

/// See the module. Times are epoch milliseconds.
#[derive(Debug, Default)]
pub(crate) struct LogJoin {
    printed: VecDeque<(u64, WorkerLine)>,
    told: VecDeque<(u64, TapLine)>,
}

fn entry_of(line: WorkerLine) -> Option<Entry> {
    let event = Map::from_iter([
        ("type".to_owned(), json!("log")),
        ("at".to_owned(), json!(line.at)),
        ("level".to_owned(), json!(line.level)),
        ("text".to_owned(), Value::String(line.text)),
    ]);
    // It has what an event needs.
    Entry::of(event, None).ok()
}

impl LogJoin {
    /// A line of the tap.
    pub(crate) fn told(&mut self, line: TapLine, now: u64) {
        let same = |printed: &WorkerLine| printed.level == line.level && printed.text.trim() == line.text;
        if let Some(at) = self.printed.iter().position(|(_, printed)| same(printed)) {
            self.printed.remove(at);
            return;
        }
        self.told.push_back((now + 2 * PATIENCE, line));
        if self.told.len() > MOST {
            self.told.pop_front();
        }
    }

    /// A line of workerd; it comes back as an event unless it has to wait or was told already.
    pub(crate) fn printed(&mut self, line: WorkerLine, now: u64) -> Option<Entry> {
        if !line.is_console {
            return entry_of(line);
        }
        let same = |told: &TapLine| told.level == line.level && told.text == line.text.trim();
        if let Some(at) = self.told.iter().position(|(_, told)| same(told)) {
            self.told.remove(at);
            return None;
        }
        self.printed.push_back((now + PATIENCE, line));
        if self.printed.len() > MOST {
            return self.printed.pop_front().and_then(|(_, line)| entry_of(line));
        }
        None
    }

    /// Lines that have waited long enough.
    pub(crate) fn due(&mut self, now: u64) -> Vec<Entry> {
        let mut entries = Vec::new();
        while let Some((_, line)) = self.printed.pop_front_if(|(until, _)| *until <= now) {
            match self.told.iter().position(|(_, told)| told.level == line.level) {
                Some(at) => drop(self.told.remove(at)),
                None => entries.extend(entry_of(line)),
            }
        }
        while self.told.pop_front_if(|(until, _)| *until <= now).is_some() {}
        entries
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn printed(text: &str, at: u64) -> WorkerLine {
        WorkerLine {
            level: "info",
            text: text.to_owned(),
            at,
            is_console: true,
        }
    }

    fn told(text: &str) -> TapLine {
        let event = json!({ "type": "log", "at": 1, "level": "info", "text": text }).to_string();
        TapLine::of(&Entry::parse(&event, None).unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_taken_once_whoever_is_first() {
        let mut join = LogJoin::default();
        assert!(join.printed(printed("a\n", 0), 0).is_none());
        join.told(told("a"), 100);
        join.told(told("b"), 100);
        assert!(join.printed(printed("b", 0), 200).is_none());
        assert!(join.due(100_000).is_empty());
        assert!(join.printed.is_empty());
    }

    #[test]
    fn what_the_tap_never_told_comes_when_its_time_is_over() {
        let mut join = LogJoin::default();
        assert!(join.printed(printed("a", 0), 0).is_none());
        assert!(join.due(PATIENCE - 1).is_empty() && !join.printed.is_empty());
        assert_eq!(join.due(PATIENCE).len(), 1);
        let error = WorkerLine {
            level: "error",
            is_console: false,
            ..printed("Uncaught Error", 0)
        };
        let entry = join.printed(error, 0).unwrap();
        assert!(entry.json(1).contains(r#""level":"error","text":"Uncaught Error""#));
    }

    #[test]
    fn differently_formatted_values_are_one_line() {
        let mut join = LogJoin::default();
        assert!(join.printed(printed("{ a: 1 }", 0), 0).is_none());
        join.told(told("{\"a\":1}"), 10);
        assert!(join.due(PATIENCE).is_empty());
        // The same line again is another line.
        assert!(join.printed(printed("{ a: 1 }", 0), PATIENCE).is_none());
        assert_eq!(join.due(3 * PATIENCE).len(), 1);
    }

    #[test]
    fn remembers_a_bounded_number() {
        let mut join = LogJoin::default();
        for at in 0..3 * MOST as u64 {
            join.told(told(&format!("t{at}")), 0);
        }
        let out = (0..3 * MOST).filter(|at| join.printed(printed(&format!("p{at}"), 0), 0).is_some());
        assert_eq!(out.count(), 2 * MOST);
        assert_eq!((join.told.len(), join.printed.len()), (MOST, MOST));
    }
}
