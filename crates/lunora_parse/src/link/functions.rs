//! The functions of one file.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::Function;

use super::address::Decision;
use super::builders::validators;
use super::evaluate::Evaluator;
use super::modules::{FileIndex, Modules, Symbol, holds_functions, module_path};
use super::schema::SchemaModel;
use super::suggest::hint;
use super::touches::touches_of;
use super::value::{Place, RegisteredValue, Value};
use crate::facts::{BindingKind, Expression, ExpressionKind, Name};

/// What linking one file gave.
#[derive(Debug)]
pub(super) struct LinkedFile {
    pub(super) functions: Vec<Arc<Function>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Files that were looked at besides this one.
    pub(super) asked: Vec<FileIndex>,
}

/// Links one file.
pub(super) fn link_file(modules: &Modules, schema: &SchemaModel, file: FileIndex) -> LinkedFile {
    let mut linked = LinkedFile {
        functions: Vec::new(),
        diagnostics: Vec::new(),
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
        let Some(function) = registered(&mut evaluator, symbol, place) else {
            continue;
        };
        if let Some(function) = link_function(&mut evaluator, schema, file, module, &name, place, &function) {
            linked.functions.push(Arc::new(function));
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

/// The registered function that a symbol stands for, when it stands for one.
fn registered(evaluator: &mut Evaluator<'_>, symbol: Symbol<'_>, place: Place) -> Option<std::rc::Rc<RegisteredValue>> {
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
        Ok(Value::Registered(function)) => Some(function),
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
    file: FileIndex,
    module: &str,
    name: &Name,
    place: Place,
    function: &RegisteredValue,
) -> Option<Function> {
    let modules = evaluator.modules;
    if &**name == "default" {
        evaluator.report(
            codes::DEFAULT_EXPORT_FUNCTION,
            place,
            format!(
                "`{}` exports a function by default, so that it has no name to be called by",
                modules.path(file)
            ),
            "Write `export const name = …`.",
        );
        return None;
    }
    let path = format!("{module}:{name}");
    if modules.is_folder(module)
        && modules
            .find(&format!("{}/{module}/{name}", modules.directory))
            .is_some()
    {
        evaluator.report(
            codes::PATH_CONFLICT,
            place,
            format!("`{path}` would be both a function and the folder of `{module}/{name}` in `api`"),
            "Rename the function or the file.",
        );
    }
    let builder = &function.builder;
    let references = builder
        .input
        .values()
        .map(|(_, column)| column)
        .chain(&builder.output)
        .flat_map(|column| column.references.iter());
    if !schema.incomplete {
        for (table, place) in references {
            if !schema.tables.contains_key(&**table) {
                let message = format!("there is no table `{table}`");
                evaluator.report(codes::UNKNOWN_TABLE, *place, message, hint(table, &schema.names()));
            }
        }
    }
    let touches = touches_of(evaluator, schema, function);
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
        file: modules.path(file).to_owned(),
        export: name.to_string(),
        kind: builder.kind,
        visibility: builder.visibility,
        input: validators(&builder.input),
        output: builder.output.as_ref().map(|column| column.validator.clone()),
        address,
        tables: touches.tables().iter().map(ToString::to_string).collect(),
        path,
    })
}
