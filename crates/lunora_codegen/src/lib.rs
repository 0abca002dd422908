//! From the application model to the text of `lunora/_generated/*`.
//!
//! [`generate`] is pure: the same model gives the same bytes, whatever the order in which files were
//! read. [`Writer`] and [`check_generated`] are the edge that touches the disk.

mod address_text;
mod api;
mod api_index;
mod check;
mod data_model;
mod function_tree;
mod functions;
mod generate;
mod generated_file;
mod generation;
mod generator;
mod json_schema;
mod json_text;
mod migrations;
mod module_names;
mod openapi;
mod options;
mod parts;
mod presence;
mod server;
mod shapes;
mod surface;
mod type_text;
mod typescript;
mod worker;
mod writer;

pub use check::{Stale, StaleReason, check_generated};
pub use generate::{GENERATED_MODULES, generate};
pub use generated_file::GeneratedFile;
pub use generator::{Generator, Scope};
pub use options::{GenerateOptions, PackagePrefix};
pub use writer::{WriteReport, Writer, write_generated};
