//! Diagnostics: stable codes, what was found, why it is wrong, what to do.
//!
//! An error stays a value of type [`Diagnostic`] until the last moment; rendering for a terminal,
//! as JSON or for a browser overlay is a separate step.

mod code;
mod diagnostic;
mod render_json;
mod render_text;
mod source;

pub use code::{CODE_TABLE, Code, CodeEntry, codes};
pub use diagnostic::{Diagnostic, Label, Severity, Span};
pub use render_json::to_json;
pub use render_text::{RenderOptions, render_text};
pub use source::{Location, SourceFile, SourceFiles, Sources};
