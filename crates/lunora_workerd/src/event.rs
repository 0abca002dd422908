//! What happens to the worker, for whoever shows it.

use std::path::PathBuf;
use std::time::Duration;

use lunora_diagnostics::Diagnostic;

/// Something that happened to the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerdEvent {
    /// A line of output or an uncaught exception.
    Log(LogEvent),
    /// A process serves.
    Started {
        /// Counts processes whose description differs.
        generation: u64,
        /// From asking for it to its readiness, the kill of the one before included.
        duration: Duration,
    },
    /// A serving process ended although nobody asked it to.
    Exited {
        /// Of which description.
        generation: u64,
        /// How it ended, for example `signal: 9 (SIGKILL)`.
        status: String,
        /// After which pause it is started again.
        restart_in: Duration,
    },
    /// A worker serves whose objects are in a jurisdiction, or no longer in one. Told at the start where one is declared,
    /// and on every change.
    Region {
        /// What the app's schema is pinned to.
        jurisdiction: Option<String>,
        /// Where the bytes of its objects are on this machine.
        storage: PathBuf,
    },
    /// A warning, or a failure that no call to `update` can report.
    Diagnostic(Diagnostic),
}

/// One message of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Of which description.
    pub generation: u64,
    /// How loud.
    pub level: LogLevel,
    /// The text, its stack frames pointing at source positions.
    pub message: String,
    /// Unix milliseconds.
    pub timestamp: u64,
    /// Where it comes from.
    pub source: LogSource,
}

/// Levels of `console`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `console.debug`
    Debug,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, exceptions
    Error,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// `console` in the worker.
    Console,
    /// An exception that no handler caught.
    Exception,
    /// workerd itself.
    Runtime,
}
