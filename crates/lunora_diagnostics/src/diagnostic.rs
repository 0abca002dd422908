//! What was found, where, and what to do.

use serde::Serialize;

use crate::Code;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing.
    Advice,
    /// Works, and will hurt.
    Warning,
    /// Stops the build.
    Error,
}

/// A half-open range of UTF-8 bytes in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A place in a file and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The file, project-relative with `/`.
    pub file: String,
    /// Where in the file.
    pub span: Span,
    /// Said beside the place; `None` for the first label of a diagnostic, whose message stands above.
    pub message: Option<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What was found (in backticks) and why it is wrong.
    pub message: String,
    /// Places, the most important first; empty when no file is to blame.
    pub labels: Vec<Label>,
    /// What unblocks it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error with no place and no help yet.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with no place and no help yet.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, span: Span) -> Self {
        self.labels.push(Label {
            file: file.into(),
            span,
            message: None,
        });
        self
    }

    /// Adds a further place with something said beside it.
    #[must_use]
    pub fn and_at(mut self, file: impl Into<String>, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            file: file.into(),
            span,
            message: Some(message.into()),
        });
        self
    }

    /// Says what unblocks it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
