//! The development engine: sources in, generated files and a running worker out.
//!
//! [`Pipeline`] turns sources into an application, its generated files and the worker's modules; [`Engine`]
//! is the actor that runs it whenever a file changes and keeps workerd on the newest good result.

mod actor;
mod build;
mod client_module;
mod codegen;
mod crons;
mod databases;
mod dependencies;
mod engine;
mod event;
mod findings;
mod host;
mod import_context;
mod inspecting;
mod json_module;
mod layout;
mod log_line;
mod mail_delivery;
mod model;
mod module_graph;
mod module_name;
mod module_walk;
mod options;
mod pipeline;
mod production;
mod relay;
mod release;
mod remap;
mod residency;
mod resolution;
mod serving;
mod settings;
mod sources;
mod watching;
mod worker;

pub use build::{BuildPreparation, prepare_build};
pub use client_module::{ClientModule, ClientModuleOptions, client_module};
pub use codegen::{CodegenFailure, CodegenReport, codegen};
pub use engine::Engine;
pub use event::{DependencyEntry, EngineEvent};
pub use host::EventSink;
pub use lunora_codegen::Scope;
pub use lunora_inspector::LARGEST_SEED;
pub use lunora_workerd::{FoundWorkerd, find_workerd, running_url};
pub use options::{BuildOptions, CodegenOptions, EngineOptions};
pub use pipeline::{Built, Output, Pipeline};
pub use production::{ServeOptions, Server};
pub use release::{
    BASELINE_FILE, Deployed, Gate, GateState, ReleaseFinish, ReleaseOptions, ReleaseReport, finish_release,
    release_gates,
};
pub use residency::{
    ClassResidency, ResidencyOptions, ResidencyReport, StoredDatabase, StoredObjects, StoredRows, TableResidency,
    residency,
};
pub use resolution::Alias;
pub use settings::discover;
