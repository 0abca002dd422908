//! From a model to files.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Function};

use crate::api::api;
use crate::data_model::data_model;
use crate::function_tree::equal_paths;
use crate::functions::functions;
use crate::module_names::ModuleNames;
use crate::openapi::openapi;
use crate::server::server;
use crate::worker::worker;
use crate::{GenerateOptions, GeneratedFile};

pub(crate) const DATA_MODEL: &str = "dataModel.ts";
pub(crate) const SERVER: &str = "server.ts";
pub(crate) const API: &str = "api.ts";
pub(crate) const FUNCTIONS: &str = "functions.ts";
pub(crate) const WORKER: &str = "worker.ts";
pub(crate) const OPENAPI: &str = "openapi.json";

/// Names of the generated modules that others import, whether or not they have been written yet.
pub const GENERATED_MODULES: &[&str] = &[DATA_MODEL, SERVER, API, FUNCTIONS, WORKER];

/// Generates all files of an application.
///
/// The same model gives the same bytes. Functions come sorted by path, whatever their order in the
/// model; tables, columns and arguments keep the order of the source.
///
/// # Errors
/// When two functions, or a function and a folder, would have the same place in `api`.
pub fn generate(application: &Application, options: &GenerateOptions) -> Result<Vec<GeneratedFile>, Vec<Diagnostic>> {
    let mut files = Vec::with_capacity(6);
    let mut add = |path, contents: String| {
        let contents = Arc::from(contents);
        files.push(GeneratedFile { path, contents });
    };
    add(DATA_MODEL, data_model(&application.tables));
    add(SERVER, server(options));
    let call_surface = CallSurface::new(application, options)?;
    add(API, call_surface.api(options)?);
    add(FUNCTIONS, call_surface.functions(options));
    add(WORKER, worker(application, options));
    add(OPENAPI, openapi(&call_surface.sorted, options));
    Ok(files)
}

/// The functions of an application in order, and the names of their modules.
pub(crate) struct CallSurface<'a> {
    pub(crate) sorted: Vec<&'a Function>,
    modules: ModuleNames<'a>,
}

impl<'a> CallSurface<'a> {
    pub(crate) fn new(application: &'a Application, options: &GenerateOptions) -> Result<Self, Vec<Diagnostic>> {
        let sorted = sorted(application);
        let errors = equal_paths(&sorted);
        if errors.is_empty() {
            let modules = ModuleNames::new(&sorted, options);
            Ok(Self { sorted, modules })
        } else {
            Err(errors)
        }
    }

    pub(crate) fn api(&self, options: &GenerateOptions) -> Result<String, Vec<Diagnostic>> {
        api(&self.sorted, &self.modules, options)
    }

    pub(crate) fn functions(&self, options: &GenerateOptions) -> String {
        functions(&self.sorted, &self.modules, options)
    }
}

fn sorted(application: &Application) -> Vec<&Function> {
    let mut functions: Vec<&Function> = application.functions.iter().map(AsRef::as_ref).collect();
    functions.sort_by(|one, other| (&one.path, &one.file).cmp(&(&other.path, &other.file)));
    functions
}
