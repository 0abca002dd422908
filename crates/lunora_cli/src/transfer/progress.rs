//! How far a transfer is: one line that changes on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use lunora_transfer::{Observer, Step};

/// A terminal's line changes not more often than this.
const TERMINAL_PAUSE: Duration = Duration::from_millis(100);

/// Elsewhere a line is written not more often than this.
const PLAIN_PAUSE: Duration = Duration::from_secs(5);

/// Writes to standard error.
pub(crate) struct Progress {
    is_silent: bool,
    is_terminal: bool,
    /// What happens to rows.
    verb: &'static str,
    last: Option<Instant>,
    has_line: bool,
    is_committed: bool,
}

impl Progress {
    pub(crate) fn new(is_silent: bool, verb: &'static str) -> Self {
        Self {
            is_silent,
            is_terminal: std::io::stderr().is_terminal(),
            verb,
            last: None,
            has_line: false,
            is_committed: false,
        }
    }

    /// Whether the rows of an import count for certain.
    pub(crate) fn is_committed(&self) -> bool {
        self.is_committed
    }

    /// Leaves the terminal's line as it was.
    pub(crate) fn end(&mut self) {
        if self.has_line {
            write("\r\u{1b}[2K");
            self.has_line = false;
        }
    }

    fn say(&mut self, text: &str) {
        self.end();
        write(&format!("{text}\n"));
    }
}

/// Nobody may be there to read it, which is no reason to stop.
fn write(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

impl Observer for Progress {
    fn step(&mut self, step: &Step) {
        self.is_committed |= *step == Step::Committed;
        if self.is_silent {
            return;
        }
        match step {
            Step::Moved { rows, shards } => {
                let pause = if self.is_terminal { TERMINAL_PAUSE } else { PLAIN_PAUSE };
                if self.last.is_some_and(|last| last.elapsed() < pause) {
                    return;
                }
                self.last = Some(Instant::now());
                let text = format!("{rows} rows {}, {shards} shards", self.verb);
                if self.is_terminal {
                    write(&format!("\r\u{1b}[2K{text}"));
                    self.has_line = true;
                } else {
                    self.say(&text);
                }
            }
            Step::Paused => self.say("writes are refused until the export has ended"),
            Step::ShardAgain => self.say("what was read of a shard is not kept any more: it is read again"),
            Step::Preparing => self.say("every shard tries the commit"),
            Step::Committed => self.say("committed: from here on the rows count"),
            Step::Aborted => self.say("given up: nothing of the import is left"),
            Step::Verifying => self.say("counting and hashing both sides"),
        }
    }
}
