//! What of a module stays for clients.

use lunora_diagnostics::{Diagnostic, codes};
use rustc_hash::{FxHashMap, FxHashSet};
use swc_core::common::Spanned;
use swc_core::ecma::ast::{self, Id};

use super::parts::{Divided, Part, divide};
use crate::facts::strip_types;
use crate::position::Positions;

/// Packages of ours, by the part of their name after the prefix, that only servers run.
const SERVER_PACKAGES: &[&str] = &["do", "native", "runtime", "server", "vite"];

/// What an import binds by one of its names.
#[derive(Clone)]
struct Imported {
    specifier: String,
    /// The name there; `None` for all of it.
    name: Option<String>,
}

struct Pruner<'source> {
    path: &'source str,
    positions: Positions<'source>,
    imported: FxHashMap<Id, Imported>,
    diagnostics: Vec<Diagnostic>,
}

/// Leaves in a module what clients need of it, and says what stands in the way.
pub(super) fn prune(module: &mut ast::Module, path: &str, positions: Positions<'_>) -> Vec<Diagnostic> {
    let Divided {
        imports,
        mut parts,
        exports,
    } = divide(std::mem::take(&mut module.body));
    let mut pruner = Pruner {
        path,
        positions,
        imported: imports.iter().flat_map(bindings).collect(),
        diagnostics: Vec::new(),
    };
    let exported: FxHashSet<Id> = exports.iter().flat_map(exported_names).collect();
    let mutators = pruner.reduce_mutators(&mut parts);
    if !pruner.diagnostics.is_empty() {
        return pruner.diagnostics;
    }
    let roots = parts
        .iter()
        .filter(|part| part.is_exported || part.declares.iter().any(|name| exported.contains(name)))
        .flat_map(|part| part.declares.iter().filter(|name| mutators.contains(*name)));
    let needed = reached(&parts, roots.cloned().collect());
    pruner.check_statements(&parts, &needed, &mutators);
    let imports: Vec<ast::ImportDecl> = imports
        .into_iter()
        .filter_map(|import| pruner.kept_import(import, &needed))
        .collect();
    let kept_parts = parts
        .into_iter()
        .filter(|part| part.declares.iter().any(|name| needed.contains(name)))
        .map(|part| part.item);
    let kept_exports = exports.into_iter().filter_map(|export| kept_export(export, &needed));
    module.body = imports
        .into_iter()
        .map(|import| ast::ModuleItem::ModuleDecl(ast::ModuleDecl::Import(import)))
        .chain(kept_parts)
        .chain(kept_exports)
        .collect();
    pruner.diagnostics
}

/// All names that the declarations of some names lead to.
fn reached(parts: &[Part], roots: Vec<Id>) -> FxHashSet<Id> {
    // Several for one name: an enum in two pieces, a function and its overloads.
    let mut declared: FxHashMap<&Id, Vec<&Part>> = FxHashMap::default();
    for part in parts {
        for name in &part.declares {
            declared.entry(name).or_default().push(part);
        }
    }
    let mut needed: FxHashSet<Id> = FxHashSet::default();
    let mut queue = roots;
    while let Some(name) = queue.pop() {
        let declarations = declared.get(&name);
        if needed.insert(name) {
            queue.extend(declarations.into_iter().flatten().flat_map(|part| part.uses()));
        }
    }
    needed
}

impl Pruner<'_> {
    /// Puts `{ apply }` in the place of each `mutator({ … })`, and gives the names of what they are assigned to.
    fn reduce_mutators(&mut self, parts: &mut [Part]) -> FxHashSet<Id> {
        let mut mutators = FxHashSet::default();
        for part in parts {
            let Some(variable) = part.variable() else { continue };
            let Some(value) = variable.init.as_deref_mut() else {
                continue;
            };
            let is_mutator = match strip_types(value) {
                // Another name for one.
                ast::Expr::Ident(other) => mutators.contains(&other.to_id()),
                ast::Expr::Call(call) => match &call.callee {
                    ast::Callee::Expr(callee) if self.is_factory(callee) => {
                        match self.client_half(call) {
                            Ok(half) => *value = half,
                            Err(diagnostic) => self.diagnostics.push(*diagnostic),
                        }
                        true
                    }
                    _ => false,
                },
                _ => false,
            };
            if is_mutator {
                mutators.extend(part.declares.iter().cloned());
            }
        }
        mutators
    }

    /// `mutator`, `defineMutator`, or either as a member of all that a module exports.
    fn is_factory(&self, callee: &ast::Expr) -> bool {
        let is_its_name = |name: &str| matches!(name, "mutator" | "defineMutator");
        match strip_types(callee) {
            ast::Expr::Ident(name) => self
                .imported
                .get(&name.to_id())
                .is_some_and(|import| is_server(&import.specifier) && import.name.as_deref().is_some_and(is_its_name)),
            ast::Expr::Member(member) => match (strip_types(&member.obj), &member.prop) {
                (ast::Expr::Ident(object), ast::MemberProp::Ident(name)) => {
                    is_its_name(&name.sym)
                        && self
                            .imported
                            .get(&object.to_id())
                            .is_some_and(|import| is_server(&import.specifier) && import.name.is_none())
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn client_half(&self, call: &ast::CallExpr) -> Result<ast::Expr, Box<Diagnostic>> {
        let argument = call.args.first().filter(|argument| argument.spread.is_none());
        let options = match argument.map(|argument| strip_types(&argument.expr)) {
            Some(ast::Expr::Object(options)) => options,
            _ => return Err(self.not_in_place(call.span)),
        };
        let mut half = None;
        for property in &options.props {
            let ast::PropOrSpread::Prop(property) = property else {
                return Err(self.not_in_place(property.span()));
            };
            if name_of(property).is_some_and(|name| name == "apply") {
                half = Some(property.clone());
            }
        }
        match half {
            Some(apply) => Ok(ast::Expr::Object(ast::ObjectLit {
                span: call.span,
                props: vec![ast::PropOrSpread::Prop(apply)],
            })),
            None => Err(self.not_in_place(options.span)),
        }
    }

    fn at(&self, diagnostic: Diagnostic, span: swc_core::common::Span) -> Diagnostic {
        diagnostic.at(self.path, self.positions.span(span))
    }

    fn not_in_place(&self, span: swc_core::common::Span) -> Box<Diagnostic> {
        let message = "the `apply` of this mutator is not visible, so that it cannot be given to clients alone";
        let diagnostic = Diagnostic::error(codes::NOT_STATIC, message);
        Box::new(
            self.at(diagnostic, span)
                .with_help("Write `{ … }` with each option by name in place."),
        )
    }

    /// A statement that does something with what `apply` uses would have to run in clients too.
    fn check_statements(&mut self, parts: &[Part], needed: &FxHashSet<Id>, mutators: &FxHashSet<Id>) {
        let known: FxHashSet<&Id> = parts
            .iter()
            .flat_map(|part| &part.declares)
            .chain(self.imported.keys())
            .filter(|name| needed.contains(*name) && !mutators.contains(*name))
            .collect();
        let mut found = Vec::new();
        for part in parts.iter().filter(|part| part.declares.is_empty()) {
            if let Some(name) = part.uses().iter().find(|name| known.contains(name)) {
                let message = format!(
                    "this statement uses `{}`, which the `apply` of a mutator uses too: whether clients have to run it is not visible",
                    name.0
                );
                let diagnostic = Diagnostic::error(codes::CLIENT_REACHES_SERVER, message);
                found.push(self.at(diagnostic, part.item.span()).with_help(
                    "Move it, with what it is about, into a file of its own, and import from there what `apply` uses.",
                ));
            }
        }
        self.diagnostics.append(&mut found);
    }

    /// An import with the names that are needed; each of them must be fit for clients.
    fn kept_import(&mut self, mut import: ast::ImportDecl, needed: &FxHashSet<Id>) -> Option<ast::ImportDecl> {
        if import.type_only {
            return None;
        }
        import
            .specifiers
            .retain(|name| !name.is_type_only() && needed.contains(&name.local().to_id()));
        let specifier = import.src.value.to_atom_lossy().into_owned();
        if is_server(&specifier) {
            for name in &import.specifiers {
                let message = format!(
                    "the `apply` of a mutator uses `{}` of `{specifier}`, which belongs to the server",
                    name.local().sym
                );
                let diagnostic = Diagnostic::error(codes::CLIENT_REACHES_SERVER, message);
                self.diagnostics.push(self.at(diagnostic, name.span()).with_help(
                    "Use plain data and functions in `apply`, import errors from `lunorash/errors` and validators from `lunorash/values`, and keep the rest in `server`.",
                ));
            }
        }
        (!import.specifiers.is_empty()).then_some(import)
    }
}

/// Whether a module runs in servers alone, as far as its name says.
fn is_server(specifier: &str) -> bool {
    if specifier == "lunorash" || specifier.starts_with("cloudflare:") {
        return true;
    }
    let package = specifier
        .strip_prefix("lunorash/")
        .or_else(|| specifier.strip_prefix("@lunora/"));
    if let Some(package) = package {
        let name = package.split('/').next().unwrap_or(package);
        return SERVER_PACKAGES.contains(&name);
    }
    specifier.rsplit_once("_generated/").is_some_and(|(before, file)| {
        let stem = file.split('.').next().unwrap_or(file);
        (before.is_empty() || before.ends_with('/')) && !matches!(stem, "dataModel") && !stem.starts_with("api")
    })
}

fn bindings(import: &ast::ImportDecl) -> Vec<(Id, Imported)> {
    let specifier = import.src.value.to_atom_lossy().into_owned();
    import
        .specifiers
        .iter()
        .map(|binding| {
            let name = match binding {
                ast::ImportSpecifier::Named(named) => Some(match &named.imported {
                    Some(ast::ModuleExportName::Ident(name)) => name.sym.to_string(),
                    Some(ast::ModuleExportName::Str(name)) => name.value.to_atom_lossy().into_owned().to_string(),
                    None => named.local.sym.to_string(),
                }),
                ast::ImportSpecifier::Default(_) => Some("default".to_owned()),
                ast::ImportSpecifier::Namespace(_) => None,
            };
            let imported = Imported {
                specifier: specifier.to_string(),
                name,
            };
            (binding.local().to_id(), imported)
        })
        .collect()
}

/// The names of the file that `export { … }` names.
fn exported_names(export: &ast::NamedExport) -> Vec<Id> {
    export.specifiers.iter().filter_map(exported_name).collect()
}

fn exported_name(specifier: &ast::ExportSpecifier) -> Option<Id> {
    match specifier {
        ast::ExportSpecifier::Named(named) if !named.is_type_only => match &named.orig {
            ast::ModuleExportName::Ident(name) => Some(name.to_id()),
            ast::ModuleExportName::Str(_) => None,
        },
        _ => None,
    }
}

fn kept_export(mut export: ast::NamedExport, needed: &FxHashSet<Id>) -> Option<ast::ModuleItem> {
    export
        .specifiers
        .retain(|specifier| exported_name(specifier).is_some_and(|name| needed.contains(&name)));
    (!export.specifiers.is_empty() && !export.type_only)
        .then(|| ast::ModuleItem::ModuleDecl(ast::ModuleDecl::ExportNamed(export)))
}

fn name_of(property: &ast::Prop) -> Option<String> {
    let key = match property {
        ast::Prop::Shorthand(name) => return Some(name.sym.to_string()),
        ast::Prop::KeyValue(pair) => &pair.key,
        ast::Prop::Method(method) => &method.key,
        _ => return None,
    };
    match key {
        ast::PropName::Ident(name) => Some(name.sym.to_string()),
        ast::PropName::Str(name) => Some(name.value.to_atom_lossy().into_owned().to_string()),
        _ => None,
    }
}
