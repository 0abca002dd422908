//! The files of one application, and what they were made from.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Function, Shape};

use crate::data_model::data_model;
use crate::generate::{sorted, sorted_shapes};
use crate::migrations::migrations;
use crate::openapi::{openapi, push_components};
use crate::presence::presence_files;
use crate::server::server;
use crate::surface::{Surface, same_in_surface};
use crate::worker::worker;
use crate::{GenerateOptions, GeneratedFile, Scope};

const DATA_MODEL: &str = "dataModel.ts";
const SERVER: &str = "server.ts";
const MIGRATIONS: &str = "migrations.ts";
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
    /// Of an app that has kinds of rooms.
    presence: Vec<GeneratedFile>,
    /// Of an app that has data migrations.
    migrations: Option<GeneratedFile>,
    worker: GeneratedFile,
    description: GeneratedFile,
    /// `description` is that of an earlier application.
    description_is_old: bool,
}

impl Generation {
    /// # Errors
    /// When two of functions, shapes and folders would have the same place in `api`.
    pub(crate) fn new(application: &Application, options: &GenerateOptions) -> Result<Self, Vec<Diagnostic>> {
        let functions = sorted(application);
        let shapes = sorted_shapes(application);
        let (surface, description) = rayon::join(
            || Surface::new(&functions, &shapes, options, None),
            || GeneratedFile::new(OPENAPI, openapi(&functions, options)),
        );
        Ok(Self {
            options: options.clone(),
            application: application.clone(),
            data_model: GeneratedFile::new(DATA_MODEL, data_model(&application.tables)),
            server: GeneratedFile::new(SERVER, server(options)),
            surface: surface?,
            presence: presence_files(application, options, &[]),
            migrations: migration_registry(application, options, None),
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
        let description_is_due = changes.surface || changes.contents || self.description_is_old;
        let describe = description_is_due && scope == Scope::All;
        let surface_changed = changes.surface || !are_same_shapes(&last.shapes, &application.shapes);
        let functions = if surface_changed || describe {
            sorted(application)
        } else {
            Vec::new()
        };
        let are_same_tables = are_same_tables(last, application);
        let entry_changed = !are_same_tables
            || last.uses_scheduler() != application.uses_scheduler()
            || last.crons.is_empty() != application.crons.is_empty()
            || last.has_app_module != application.has_app_module
            || last.schema_export != application.schema_export
            || last.schema_file != application.schema_file
            || last.shapes.is_empty() != application.shapes.is_empty()
            || last.presence.is_empty() != application.presence.is_empty()
            || last.has_streams() != application.has_streams()
            || last.has_fan_out() != application.has_fan_out()
            || last.migrations.is_empty() != application.migrations.is_empty();
        Ok(Self {
            options: options.clone(),
            application: application.clone(),
            data_model: if are_same_tables {
                self.data_model.clone()
            } else {
                GeneratedFile::renewed(DATA_MODEL, data_model(&application.tables), Some(&self.data_model))
            },
            server: self.server.clone(),
            surface: if surface_changed {
                Surface::new(&functions, &sorted_shapes(application), options, Some(&self.surface))?
            } else {
                self.surface.clone()
            },
            presence: if last.presence == application.presence {
                self.presence.clone()
            } else {
                presence_files(application, options, &self.presence)
            },
            migrations: if last.migrations == application.migrations {
                self.migrations.clone()
            } else {
                migration_registry(application, options, self.migrations.as_ref())
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
            .chain(&self.presence)
            .chain(&self.migrations)
            .chain([&self.worker, &self.description])
            .cloned()
            .collect()
    }
}

fn migration_registry(
    application: &Application,
    options: &GenerateOptions,
    last: Option<&GeneratedFile>,
) -> Option<GeneratedFile> {
    let text = || migrations(&application.migrations, options);
    (!application.migrations.is_empty()).then(|| GeneratedFile::renewed(MIGRATIONS, text(), last))
}

/// Order counts, which equality of maps does not see.
fn are_same_tables(last: &Application, now: &Application) -> bool {
    let pairs = last.tables.iter().zip(&now.tables);
    last.tables.len() == now.tables.len()
        && pairs
            .into_iter()
            .all(|((last_name, last), (name, now))| last_name == name && Arc::ptr_eq(last, now))
}

/// Whether whoever subscribes sees no difference; what arguments are is TypeScript's to find out.
fn are_same_shapes(last: &[Arc<Shape>], now: &[Arc<Shape>]) -> bool {
    let is_same = |(last, now): (&Arc<Shape>, &Arc<Shape>)| {
        Arc::ptr_eq(last, now)
            || (last.name == now.name
                && last.file == now.file
                && last.table == now.table
                && last.address == now.address
                && last.refresh == now.refresh)
    };
    last.len() == now.len() && last.iter().zip(now).all(is_same)
}

/// What changed between two lists of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FunctionChanges {
    /// Which there are, where they are, who may call them, where they run.
    surface: bool,
    /// What they take or give.
    contents: bool,
}

fn changed_parts(last: &[Arc<Function>], now: &[Arc<Function>]) -> FunctionChanges {
    let mut changes = FunctionChanges {
        surface: last.len() != now.len(),
        contents: false,
    };
    for (last, now) in last.iter().zip(now) {
        if changes.surface {
            break;
        }
        changes.surface |= !same_in_surface(last, now);
        changes.contents |= !Arc::ptr_eq(last, now) && components(last) != components(now);
    }
    changes
}

fn components(function: &Function) -> String {
    let mut text = String::new();
    push_components(&mut text, function);
    text
}
