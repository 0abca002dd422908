//! The functions of one file.

use std::rc::Rc;
use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{Function, ObservedMoment, Presence, Shape};

use super::address::Decision;
use super::builders::validators;
use super::evaluate::Evaluator;
use super::exported::Exported;
use super::migrations::{LinkedMigration, link_migration};
use super::modules::{FileIndex, Modules, Symbol, holds_functions, module_path};
use super::schema::SchemaModel;
use super::shapes::link_shape;
use super::suggest::hint;
use super::touches::{check_client_half, touches_of};
use super::value::{Form, MigrationValue, Place, RegisteredValue, ShapeValue, Value};
use crate::facts::{BindingKind, Expression, ExpressionKind, Name};

/// What linking one file gave.
#[derive(Debug)]
pub(super) struct LinkedFile {
    pub(super) functions: Vec<Arc<Function>>,
    pub(super) shapes: Vec<Arc<Shape>>,
    pub(super) migrations: Vec<LinkedMigration>,
    pub(super) presence: Vec<Arc<Presence>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// A function uses `ctx.scheduler`.
    pub(super) schedules: bool,
    /// Where functions have another answer the next time.
    pub(super) moments: Vec<ObservedMoment>,
    /// Files that were looked at besides this one.
    pub(super) asked: Vec<FileIndex>,
}

/// Links one file.
pub(super) fn link_file(modules: &Modules, schema: &SchemaModel, file: FileIndex) -> LinkedFile {
    let mut linked = LinkedFile {
        functions: Vec::new(),
        shapes: Vec::new(),
        migrations: Vec::new(),
        presence: Vec::new(),
        diagnostics: Vec::new(),
        schedules: false,
        moments: Vec::new(),
        asked: Vec::new(),
    };
    let path = modules.path(file);
    if !modules.file(file).parses() {
        linked
            .diagnostics
            .extend(modules.file(file).diagnostics.iter().cloned());
        return linked;
    }
    if !holds_functions(&modules.directory, path) {
        return linked;
    }
    let mut evaluator = Evaluator::new(modules);
    report_duplicate_exports(&mut evaluator, file);
    let module = module_path(&modules.directory, path);
    let mut asked = Vec::new();
    let mut exported = modules.exported_names(file, &mut asked);
    evaluator.asked.append(&mut asked);
    exported.sort_by(|left, right| left.0.as_str().cmp(right.0.as_str()));
    for (name, declared_in, index) in exported {
        let Some(export) = modules.facts(declared_in).exports.get(index) else {
            continue;
        };
        let place = Place {
            file: declared_in,
            span: export.span,
        };
        let symbol = modules.export_target(declared_in, &export.target, &mut evaluator.asked, 64);
        let exported = Exported {
            origin: match &symbol {
                Symbol::Binding { file, .. } => *file,
                _ => declared_in,
            },
            file,
            module,
            name: &name,
            place,
        };
        match declared(&mut evaluator, symbol, place) {
            Some(Declared::Function(function)) => {
                let function = link_function(&mut evaluator, schema, exported, &function, &mut linked);
                linked.functions.extend(function.map(Arc::new));
            }
            Some(Declared::Shape(shape)) => {
                let shape = link_shape(&mut evaluator, schema, exported, &shape);
                linked.shapes.extend(shape.map(Arc::new));
            }
            Some(Declared::Migration(migration)) => {
                let migration = link_migration(&mut evaluator, schema, exported, &migration);
                linked.migrations.extend(migration);
            }
            Some(Declared::Presence) => {
                let has_place = exported.check_place(&mut evaluator, "kind of room");
                linked.presence.extend(has_place.then(|| {
                    Arc::new(Presence {
                        path: exported.path(),
                        file: path.to_owned(),
                        export: name.to_string(),
                    })
                }));
            }
            None => {}
        }
    }
    linked.diagnostics.append(&mut evaluator.diagnostics);
    evaluator.asked.sort_unstable();
    evaluator.asked.dedup();
    linked.asked = evaluator.asked;
    linked
}

fn report_duplicate_exports(evaluator: &mut Evaluator<'_>, file: FileIndex) {
    let modules = evaluator.modules;
    let exports = &modules.facts(file).exports;
    let mut seen: rustc_hash::FxHashMap<&Name, usize> = rustc_hash::FxHashMap::default();
    for (index, export) in exports.iter().enumerate() {
        if let Some(first) = seen.insert(&export.name, index) {
            let path = modules.path(file);
            evaluator.diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_EXPORT, format!("`{}` is exported twice", export.name))
                    .at(path, export.span)
                    .and_at(path, exports[first].span, "first exported here")
                    .with_help("Remove or rename one of them."),
            );
        }
    }
}

/// What an export can declare.
enum Declared {
    Function(Rc<RegisteredValue>),
    Shape(Rc<ShapeValue>),
    Migration(Rc<MigrationValue>),
    Presence,
}

/// Reports each table that arguments and result name and that does not exist.
pub(super) fn check_references(evaluator: &mut Evaluator<'_>, schema: &SchemaModel, function: &RegisteredValue) {
    if schema.incomplete {
        return;
    }
    let builder = &function.builder;
    let columns = builder.input.values().map(|(_, column)| column).chain(&builder.output);
    for (table, place) in columns.flat_map(|column| column.references.iter()) {
        if !schema.tables.contains_key(&**table) {
            let message = format!("there is no table `{table}`");
            evaluator.report(codes::UNKNOWN_TABLE, *place, message, hint(table, &schema.names()));
        }
    }
}

/// What a symbol declares, when it declares something.
fn declared(evaluator: &mut Evaluator<'_>, symbol: Symbol<'_>, place: Place) -> Option<Declared> {
    let Symbol::Binding {
        file,
        name: local,
        binding,
    } = symbol
    else {
        return None;
    };
    let BindingKind::Constant(expression) = &binding.kind else {
        return None;
    };
    if !could_be_function(expression) || !evaluator.is_chain(file, expression) {
        return None;
    }
    let reference = Expression {
        span: place.span,
        kind: ExpressionKind::Name(local),
    };
    match evaluator.read(file, &reference) {
        Ok(Value::Registered(function)) => Some(Declared::Function(function)),
        Ok(Value::Shape(shape)) => Some(Declared::Shape(shape)),
        Ok(Value::Migration(migration)) => Some(Declared::Migration(migration)),
        Ok(Value::Presence) => Some(Declared::Presence),
        // A shared builder such as `export const authed = query.use(auth)`, or something that has
        // been reported.
        Ok(_) | Err(_) => None,
    }
}

/// A cheap look before an export is read: plain data and functions are neither.
fn could_be_function(expression: &Expression) -> bool {
    matches!(
        expression.kind,
        ExpressionKind::Call(_) | ExpressionKind::Name(_) | ExpressionKind::Member { .. }
    )
}

fn link_function(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaModel,
    exported: Exported<'_>,
    function: &RegisteredValue,
    linked: &mut LinkedFile,
) -> Option<Function> {
    if !exported.check_place(evaluator, "function") {
        return None;
    }
    if function.form == Form::Mutator && !exported.check_home(evaluator, "mutator", "mutators") {
        return None;
    }
    check_references(evaluator, schema, function);
    check_client_half(evaluator, schema, function);
    let builder = &function.builder;
    let path = exported.path();
    let place = exported.place;
    let touches = touches_of(evaluator, schema, function);
    linked.schedules |= touches.schedules;
    linked
        .moments
        .extend(touches.moments.iter().map(|(place, written)| ObservedMoment {
            function: path.clone(),
            written,
            file: evaluator.modules.path(place.file).to_owned(),
            span: place.span,
        }));
    let address = if schema.incomplete {
        // Which tier a table lives in is only known once the schema is whole; what is wrong with it
        // has been reported, and saying it again here would bury that.
        None
    } else {
        Decision {
            evaluator,
            schema,
            function,
            touches: &touches,
            path: &path,
            place,
        }
        .decide()
    }?;
    Some(Function {
        file: evaluator.modules.path(exported.file).to_owned(),
        export: exported.name.to_string(),
        kind: builder.kind,
        visibility: builder.visibility,
        input: validators(&builder.input),
        output: builder.output.as_ref().map(|column| column.validator.clone()),
        address,
        tables: touches.tables().iter().map(ToString::to_string).collect(),
        path,
    })
}
