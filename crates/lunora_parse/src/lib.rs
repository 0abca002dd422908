//! Static reading of an app: one parse of each file gives the facts that the application model is
//! made of and the JavaScript that runs.
//!
//! This is the only crate that names the parser (swc); nothing of it shows in the public items.
//! Nothing is ever executed and nothing here touches the file system: callers hand in texts.

mod analysis;
mod cache;
mod client;
mod emit;
mod facts;
mod failure;
mod imports;
mod link;
mod nesting;
mod position;
mod stack;
mod syntax;

pub use analysis::{AnalyzeOptions, FileAnalysis, MAX_SOURCE_BYTES, analyze_file};
pub use cache::{ParseCache, SourceText};
pub use client::client_module;
pub use emit::{EmitOptions, JavaScript};
pub use facts::FileFacts;
pub use imports::{ModuleImport, ModuleImportKind};
pub use link::{LinkOutcome, Linker, ProjectFiles, build_application};
