//! From a model to files.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Function, Shape};

use crate::generation::Generation;
use crate::{GenerateOptions, GeneratedFile};

/// Names of the generated modules that others import, whether or not they have been written yet. The parts
/// of a large app's `api.ts` and `functions.ts` are not among them.
pub const GENERATED_MODULES: &[&str] = &[
    "dataModel.ts",
    "server.ts",
    "api.ts",
    "functions.ts",
    "shapes.ts",
    "migrations.ts",
    "presence.ts",
    "rooms.ts",
    "worker.ts",
];

/// Generates all files of an application.
///
/// The same model gives the same bytes. Functions come sorted by path, whatever their order in the
/// model; tables, columns and arguments keep the order of the source.
///
/// # Errors
/// When two of functions, shapes and folders would have the same place in `api`.
pub fn generate(application: &Application, options: &GenerateOptions) -> Result<Vec<GeneratedFile>, Vec<Diagnostic>> {
    Ok(Generation::new(application, options)?.files())
}

/// Functions by path, whatever their order in the model.
pub(crate) fn sorted(application: &Application) -> Vec<Arc<Function>> {
    let mut functions = application.functions.clone();
    functions.sort_by(|one, other| (&one.path, &one.file).cmp(&(&other.path, &other.file)));
    functions
}

/// Shapes by name, whatever their order in the model.
pub(crate) fn sorted_shapes(application: &Application) -> Vec<Arc<Shape>> {
    let mut shapes = application.shapes.clone();
    shapes.sort_by(|one, other| (&one.name, &one.file).cmp(&(&other.name, &other.file)));
    shapes
}
