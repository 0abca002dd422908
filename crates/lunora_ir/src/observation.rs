//! What static reading saw an app do that works and may still be worth a word: the material of the linter.

use lunora_diagnostics::Span;
use serde::Serialize;

/// Everything that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    /// Where queries and mutations look at something that has another answer the next time, by place.
    pub moments: Vec<ObservedMoment>,
    /// Where the app reads from an environment, by place.
    pub environment: Vec<EnvironmentAccess>,
    /// Where the app makes a mailer or hands inbound mail on, by place.
    pub mail: Vec<MailEntryPoint>,
}

/// A call of an entry point of the mail package that takes a `jurisdiction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailEntryPoint {
    /// `createMailerFromEnv` or `dispatchToLunoraFunction`.
    pub name: &'static str,
    /// What it says about the jurisdiction.
    pub jurisdiction: StatedJurisdiction,
    /// The file, project-relative with `/`.
    pub file: String,
    /// What is called.
    pub span: Span,
}

/// An option as static reading sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum StatedJurisdiction {
    /// It is not there.
    Missing,
    /// A text, written in place.
    Named(String),
    /// Something that only the running code knows.
    Unseen,
}

/// A call of a clock, of chance, of the network or of a timer in a query or a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedMoment {
    /// Path of the function that leads there, for example `messages:send`.
    pub function: String,
    /// How it is written, for example `Date.now()`.
    pub written: &'static str,
    /// The file, project-relative with `/`.
    pub file: String,
    /// Where in the file.
    pub span: Span,
}

/// A property read from what is called `env`: `env.SHARD`, `ctx.env["SHARD"]`, `const { SHARD } = env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentAccess {
    /// The property.
    pub name: String,
    /// The file, project-relative with `/`.
    pub file: String,
    /// Where in the file.
    pub span: Span,
}
