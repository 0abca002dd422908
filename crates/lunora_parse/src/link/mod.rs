//! Linking: what the facts of all files add up to.
//!
//! Each file is linked on its own against the schema, and remembers the files it had to look at. An
//! edit links again the file itself and the files that looked at it; a change of the schema or of
//! the set of files links everything.

mod address;
mod app;
mod builders;
mod crons;
mod declarations;
mod evaluate;
mod exported;
mod functions;
mod migrations;
mod modules;
mod schema;
mod shape_address;
mod shapes;
mod stated_address;
mod suggest;
mod tables;
mod touches;
mod validators;
mod value;
mod written;

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_ir::{Application, EnvironmentAccess, Function, MailEntryPoint, Observations, Shape};
use rayon::prelude::*;

use crate::analysis::FileAnalysis;
use crate::stack;
use app::link_app;
use crons::link_crons;
use functions::{LinkedFile, link_file};
use modules::{FileIndex, Modules, module_path};
use schema::{LinkedSchema, SchemaModel, link_schema};

/// The files of an app.
#[derive(Debug, Clone)]
pub struct ProjectFiles {
    /// The folder of the schema and the functions, project-relative: `lunora`.
    pub directory: String,
    /// Their analyses. Generated files may be among them; they are ignored.
    pub files: Vec<Arc<FileAnalysis>>,
}

/// What the files of an app add up to.
#[derive(Debug)]
pub struct LinkOutcome {
    /// The model, as complete as the diagnostics let it be.
    pub application: Application,
    /// Everything found: what is wrong with the schema first, then by file.
    pub diagnostics: Vec<Diagnostic>,
    /// What works and may be worth a word.
    pub observations: Observations,
    /// How many files were linked anew.
    pub relinked_files: usize,
}

/// Links the files of an app again and again, doing again only what a change asks for.
#[derive(Default)]
pub struct Linker {
    state: Option<State>,
}

struct State {
    /// What was handed in, in its order, to see what changed.
    given: Vec<Arc<FileAnalysis>>,
    /// Where each given file is in `modules`.
    places: Vec<Option<FileIndex>>,
    modules: Modules,
    schema: LinkedSchema,
    files: Vec<LinkedFile>,
    /// Neighbours that would have the same module path.
    twins: Vec<(usize, usize)>,
}

impl Linker {
    /// Links.
    pub fn link(&mut self, project: &ProjectFiles) -> LinkOutcome {
        let state = match self.state.take() {
            Some(state) if same_files(&state, project) => update(state, project),
            _ => (first(project), usize::MAX),
        };
        let (state, relinked) = state;
        let outcome = assemble(&state, relinked.min(state.files.len()));
        self.state = Some(state);
        outcome
    }
}

/// Links once.
#[must_use]
pub fn build_application(project: &ProjectFiles) -> (Application, Vec<Diagnostic>) {
    let outcome = Linker::default().link(project);
    (outcome.application, outcome.diagnostics)
}

fn same_files(state: &State, project: &ProjectFiles) -> bool {
    state.modules.directory == project.directory.trim_end_matches('/')
        && state.given.len() == project.files.len()
        && state
            .given
            .iter()
            .zip(&project.files)
            .all(|(before, now)| Arc::ptr_eq(before, now) || before.path == now.path)
}

fn first(project: &ProjectFiles) -> State {
    let modules = Modules::new(&project.directory, &project.files);
    let places = project
        .files
        .iter()
        .map(|file| modules.by_path.get(&file.path).copied())
        .collect();
    let schema = link_schema(&modules);
    let count = FileIndex::try_from(modules.files.len()).unwrap_or(FileIndex::MAX);
    let indexes: Vec<FileIndex> = (0..count).collect();
    let files = link_files(&modules, &schema.model, &indexes);
    let path = |index: usize| module_path(&modules.directory, &modules.files[index].path);
    let twins = (1..modules.files.len())
        .filter(|index| path(index - 1) == path(*index))
        .map(|index| (index - 1, index))
        .collect();
    State {
        given: project.files.clone(),
        places,
        modules,
        schema,
        files,
        twins,
    }
}

fn link_files(modules: &Modules, schema: &SchemaModel, indexes: &[FileIndex]) -> Vec<LinkedFile> {
    if indexes.len() < 8 {
        return indexes.iter().map(|file| link_file(modules, schema, *file)).collect();
    }
    stack::on_pool(|| {
        indexes
            .par_iter()
            .map(|file| link_file(modules, schema, *file))
            .collect()
    })
}

fn update(mut state: State, project: &ProjectFiles) -> (State, usize) {
    let mut changed = vec![false; state.modules.files.len()];
    for ((before, now), place) in state.given.iter().zip(&project.files).zip(&state.places) {
        if Arc::ptr_eq(before, now) {
            continue;
        }
        if let Some(place) = *place {
            // New JavaScript of the same text says nothing new.
            changed[place as usize] = before.hash != now.hash;
            state.modules.replace(place, now.clone());
        }
    }
    state.given.clone_from(&project.files);
    let touched = |asked: &[FileIndex]| asked.iter().any(|file| changed[*file as usize]);
    if touched(&state.schema.asked) || state.schema.asked.is_empty() {
        state.schema = link_schema(&state.modules);
        let count = FileIndex::try_from(state.files.len()).unwrap_or(FileIndex::MAX);
        let indexes: Vec<FileIndex> = (0..count).collect();
        state.files = link_files(&state.modules, &state.schema.model, &indexes);
        let relinked = state.files.len();
        return (state, relinked);
    }
    let stale: Vec<FileIndex> = (0..)
        .zip(&state.files)
        .filter(|(index, file): &(FileIndex, &LinkedFile)| changed[*index as usize] || touched(&file.asked))
        .map(|(index, _)| index)
        .collect();
    let linked = link_files(&state.modules, &state.schema.model, &stale);
    for (index, mut file) in stale.iter().zip(linked) {
        let slot = &mut state.files[*index as usize];
        keep_equal(&slot.functions, &mut file.functions);
        keep_equal_shapes(&slot.shapes, &mut file.shapes);
        if slot.presence == file.presence {
            file.presence.clone_from(&slot.presence);
        }
        *slot = file;
    }
    (state, stale.len())
}

/// Keeps the allocation of a function that came out as it was.
fn keep_equal(before: &[Arc<Function>], now: &mut [Arc<Function>]) {
    for function in now {
        if let Some(same) = before
            .iter()
            .find(|before| before.path == function.path && ***before == **function)
        {
            *function = same.clone();
        }
    }
}

/// The same of shapes.
fn keep_equal_shapes(before: &[Arc<Shape>], now: &mut [Arc<Shape>]) {
    for shape in now {
        if let Some(same) = before.iter().find(|before| ***before == **shape) {
            *shape = same.clone();
        }
    }
}

fn assemble(state: &State, relinked_files: usize) -> LinkOutcome {
    let model = &state.schema.model;
    let mut diagnostics = state.schema.diagnostics.clone();
    let mut functions = Vec::with_capacity(state.files.iter().map(|file| file.functions.len()).sum());
    let mut shapes = Vec::new();
    let mut presence = Vec::new();
    for file in &state.files {
        functions.extend(file.functions.iter().cloned());
        shapes.extend(file.shapes.iter().cloned());
        presence.extend(file.presence.iter().cloned());
        diagnostics.extend(file.diagnostics.iter().cloned());
    }
    for (first, second) in &state.twins {
        report_twins(&state.files[*first], &state.files[*second], &mut diagnostics);
    }
    let linked = state.files.iter().flat_map(|file| &file.migrations);
    let migrations = migrations::in_order(linked, &mut diagnostics);
    let whole = diagnostics.is_empty();
    let crons = link_crons(&state.modules, &functions, whole, &mut diagnostics);
    let app = link_app(&state.modules, &mut diagnostics);
    deduplicate(&mut diagnostics);
    LinkOutcome {
        application: Application {
            jurisdiction: model.jurisdiction.clone(),
            rls_required: model.rls_required,
            tables: model.tables.clone(),
            functions,
            shapes,
            presence,
            migrations,
            crons,
            schedules: state.files.iter().any(|file| file.schedules),
            has_app_module: app.is_there,
            takes_mail: app.takes_mail,
            schema_export: model.export.clone(),
            schema_file: model.file.clone(),
        },
        diagnostics,
        observations: observations(state),
        relinked_files,
    }
}

fn observations(state: &State) -> Observations {
    let moments = state
        .files
        .iter()
        .flat_map(|file| file.moments.iter().cloned())
        .collect();
    let environment = state
        .modules
        .files
        .iter()
        .flat_map(|file| {
            file.facts.environment.iter().map(|read| EnvironmentAccess {
                name: read.name.to_string(),
                file: file.path.to_string(),
                span: read.span,
            })
        })
        .collect();
    let mail = state
        .modules
        .files
        .iter()
        .flat_map(|file| {
            file.facts.mail.iter().map(|call| MailEntryPoint {
                name: call.name,
                jurisdiction: call.jurisdiction.clone(),
                file: file.path.to_string(),
                span: call.span,
            })
        })
        .collect();
    Observations {
        moments,
        environment,
        mail,
    }
}

/// Functions, or shapes, of the same path in `messages.ts` and `messages.tsx`.
fn report_twins(first: &LinkedFile, second: &LinkedFile, diagnostics: &mut Vec<Diagnostic>) {
    for function in &second.functions {
        if let Some(other) = first.functions.iter().find(|other| other.path == function.path) {
            diagnostics.push(twins(&function.path, &other.file, &function.file));
        }
    }
    for presence in &second.presence {
        if let Some(other) = first.presence.iter().find(|other| other.path == presence.path) {
            diagnostics.push(twins(&presence.path, &other.file, &presence.file));
        }
    }
    for shape in &second.shapes {
        if let Some(other) = first.shapes.iter().find(|other| other.name == shape.name) {
            diagnostics.push(twins(&format!("shapes:{}", shape.name), &other.file, &shape.file));
        }
    }
}

fn twins(path: &str, first: &str, second: &str) -> Diagnostic {
    let message = format!("`{path}` is declared in `{first}` and in `{second}`");
    Diagnostic::error(codes::DUPLICATE_FUNCTION, message)
        .at(second, Span::default())
        .and_at(first, Span::default(), "the other file")
        .with_help("Rename or remove one of the files.")
}

/// A shared constant that is wrong is found wrong by every file that reads it.
fn deduplicate(diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = rustc_hash::FxHashSet::default();
    diagnostics.retain(|diagnostic| {
        let first = diagnostic.labels.first();
        seen.insert((
            diagnostic.code,
            diagnostic.message.clone(),
            first.map(|label| (label.file.clone(), label.span)),
        ))
    });
}
