//! The development engine: sources in, generated files and a running worker out.
//!
//! [`Pipeline`] turns sources into an application, its generated files and the worker's modules; [`Engine`]
//! is the actor that runs it whenever a file changes and keeps workerd on the newest good result.

mod build;
mod codegen;
mod dependencies;
mod engine;
mod event;
mod host;
mod log_line;
mod module_name;
mod options;
mod pipeline;
mod remap;
mod resolution;
mod settings;
mod sources;
mod worker;

pub use build::{BuildOptions, BuildPreparation, prepare_build};
pub use codegen::{CodegenFailure, CodegenOptions, CodegenReport, codegen};
pub use engine::Engine;
pub use event::{DependencyEntry, EngineEvent};
pub use host::EventSink;
pub use lunora_codegen::Scope;
pub use options::EngineOptions;
pub use pipeline::{Built, Output, Pipeline};
pub use resolution::Alias;
pub use settings::discover;
pub use worker::OBJECTS;
