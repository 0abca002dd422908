//! The files of one application, and what they were made from.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Function};

use crate::data_model::data_model;
use crate::generate::sorted;
use crate::openapi::{openapi, push_components};
use crate::server::server;
use crate::surface::{Surface, same_in_surface};
use crate::worker::worker;
use crate::{GenerateOptions, GeneratedFile, Scope};

const DATA_MODEL: &str = "dataModel.ts";
const SERVER: &str = "server.ts";
const WORKER: &str = "worker.ts";
const OPENAPI: &str = "openapi.json";

/// The files of one application, and what they were made from.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) options: GenerateOptions,
    application: Application,
    data_model: GeneratedFile,
    server: GeneratedFile,
    surface: Surface,
    worker: GeneratedFile,
    description: GeneratedFile,
    /// `description` is that of an earlier application.
    description_is_old: bool,
}

impl Generation {
    /// # Errors
    /// When two functions, or a function and a folder, would have the same place in `api`.
    pub(crate) fn new(application: &Application, options: &GenerateOptions) -> Result<Self, Vec<Diagnostic>> {
        let functions = sorted(application);
        let (surface, description) = rayon::join(
            || Surface::new(&functions, options, None),
            || GeneratedFile::new(OPENAPI, openapi(&functions, options)),
        );
        Ok(Self {
            options: options.clone(),
            application: application.clone(),
            data_model: GeneratedFile::new(DATA_MODEL, data_model(&application.tables)),
            server: GeneratedFile::new(SERVER, server(options)),
            surface: surface?,
            worker: GeneratedFile::new(WORKER, worker(application, options)),
            description,
            description_is_old: false,
        })
    }

    /// Another generation with the same options. What did not change keeps its allocation.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub(crate) fn next(&self, application: &Application, scope: Scope) -> Result<Self, Vec<Diagnostic>> {
        let last = &self.application;
        let options = &self.options;
        let changes = changed_parts(&last.functions, &application.functions);
        let description_is_due = changes.surface || changes.shapes || self.description_is_old;
        let describe = description_is_due && scope == Scope::All;
        let functions = if changes.surface || describe {
            sorted(application)
        } else {
            Vec::new()
        };
        let entry_changed = last.has_app_module != application.has_app_module
            || last.schema_export != application.schema_export
            || last.schema_file != application.schema_file;
        Ok(Self {
            options: options.clone(),
            application: application.clone(),
            data_model: if are_same_tables(last, application) {
                self.data_model.clone()
            } else {
                GeneratedFile::renewed(DATA_MODEL, data_model(&application.tables), Some(&self.data_model))
            },
            server: self.server.clone(),
            surface: if changes.surface {
                Surface::new(&functions, options, Some(&self.surface))?
            } else {
                self.surface.clone()
            },
            worker: if entry_changed {
                GeneratedFile::renewed(WORKER, worker(application, options), Some(&self.worker))
            } else {
                self.worker.clone()
            },
            description: if describe {
                GeneratedFile::renewed(OPENAPI, openapi(&functions, options), Some(&self.description))
            } else {
                self.description.clone()
            },
            description_is_old: description_is_due && !describe,
        })
    }

    /// All files.
    pub(crate) fn files(&self) -> Vec<GeneratedFile> {
        [&self.data_model, &self.server]
            .into_iter()
            .chain(self.surface.files())
            .chain([&self.worker, &self.description])
            .cloned()
            .collect()
    }
}

/// Order counts, which equality of maps does not see.
fn are_same_tables(last: &Application, now: &Application) -> bool {
    let pairs = last.tables.iter().zip(&now.tables);
    last.tables.len() == now.tables.len()
        && pairs
            .into_iter()
            .all(|((last_name, last), (name, now))| last_name == name && Arc::ptr_eq(last, now))
}

/// What changed between two lists of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FunctionChanges {
    /// Which there are, where they are, who may call them, where they run.
    surface: bool,
    /// What they take or give.
    shapes: bool,
}

fn changed_parts(last: &[Arc<Function>], now: &[Arc<Function>]) -> FunctionChanges {
    let mut changes = FunctionChanges {
        surface: last.len() != now.len(),
        shapes: false,
    };
    for (last, now) in last.iter().zip(now) {
        if changes.surface {
            break;
        }
        changes.surface |= !same_in_surface(last, now);
        changes.shapes |= !Arc::ptr_eq(last, now) && components(last) != components(now);
    }
    changes
}

fn components(function: &Function) -> String {
    let mut text = String::new();
    push_components(&mut text, function);
    text
}
