//! A walk over imports, from the worker's entry to everything that it reaches.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_parse::ModuleImport;

use crate::import_context::{Edge, ImportContext, WalkedModule};
use crate::json_module::{is_json, json_error};
use crate::layout::Layout;
use crate::module_graph::{ModuleGraph, WorkerModule};
use crate::resolution::Target;
use crate::sources::SourceSet;

/// A walk over imports from the entry.
pub(crate) struct Walk {
    order: Vec<Arc<str>>,
    /// Files that take part besides the sources of the app's folder, absolute.
    pub(crate) files: BTreeSet<PathBuf>,
    packages: BTreeSet<String>,
    errors: Vec<Diagnostic>,
    needs_bundle: Option<String>,
}

impl Walk {
    pub(crate) fn from(entry: &str, modules: &HashMap<Arc<str>, WalkedModule>, context: &ImportContext<'_>) -> Self {
        let mut walk = Self {
            order: Vec::new(),
            files: BTreeSet::new(),
            packages: BTreeSet::new(),
            errors: Vec::new(),
            needs_bundle: None,
        };
        let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut queue: VecDeque<Arc<str>> = [Arc::from(entry)].into();
        while let Some(name) = queue.pop_front() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if is_json(&name) {
                walk.order.push(name);
                continue;
            }
            let Some(module) = modules.get(&name) else {
                continue;
            };
            walk.order.push(name.clone());
            for (import, edge) in module.analysis.imports.iter().zip(module.edges.iter()) {
                if let Some(next) = walk.follow(&name, import, edge, context) {
                    queue.push_back(next);
                }
            }
        }
        walk
    }

    fn follow(
        &mut self,
        file: &Arc<str>,
        import: &ModuleImport,
        edge: &Edge,
        context: &ImportContext<'_>,
    ) -> Option<Arc<str>> {
        match &edge.target {
            Target::File(path) if edge.module.is_some() => {
                let module = edge.module.clone()?;
                if !edge.in_app_folder || !context.sources.contains(&module) {
                    self.files.insert(path.clone());
                }
                Some(module)
            }
            Target::File(_) => {
                self.needs_bundle.get_or_insert_with(|| {
                    format!("`{file}` imports `{}`, which only a bundler can load", import.specifier)
                });
                None
            }
            Target::Package => {
                self.packages.insert(import.specifier.to_string());
                None
            }
            Target::Runtime => None,
            Target::Missing(why) => {
                self.errors.push(
                    Diagnostic::error(
                        codes::IMPORT_UNRESOLVED,
                        format!("`{}` leads nowhere: {why}", import.specifier),
                    )
                    .at(file.to_string(), import.span)
                    .with_help(unresolved_help(&import.specifier)),
                );
                None
            }
        }
    }

    pub(crate) fn finish(
        self,
        layout: &Layout,
        walked: &HashMap<Arc<str>, WalkedModule>,
        sources: &SourceSet,
    ) -> (ModuleGraph, Vec<Diagnostic>) {
        let mut errors = self.errors;
        let mut modules = Vec::with_capacity(self.order.len());
        for name in &self.order {
            if let Some(source) = sources.get(name).filter(|_| is_json(name)) {
                errors.extend(json_error(source));
                modules.push(WorkerModule {
                    name: name.clone(),
                    body: source.text.clone(),
                    source_map: None,
                    is_json: true,
                });
                continue;
            }
            let Some(known) = walked.get(name) else { continue };
            if is_outside(layout, name) {
                errors.extend(known.analysis.diagnostics.iter().cloned());
            }
            modules.extend(known.module.clone());
        }
        let outside = self
            .files
            .into_iter()
            .filter(|file| !file.starts_with(&layout.folder))
            .collect();
        (
            ModuleGraph {
                modules,
                packages: self.packages.into_iter().collect(),
                outside,
                needs_bundle: self.needs_bundle,
            },
            errors,
        )
    }
}

/// What unblocks an import that leads nowhere.
fn unresolved_help(specifier: &str) -> String {
    if specifier.starts_with(['.', '/']) {
        return "Correct the path; it starts from the folder of the importing file.".to_owned();
    }
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let package: Vec<&str> = specifier.split('/').take(parts).collect();
    format!("Install the package: npm install {}", package.join("/"))
}

/// Files of the app's folder report their syntax errors through the linker already.
fn is_outside(layout: &Layout, name: &str) -> bool {
    !name
        .strip_prefix(layout.directory.as_str())
        .is_some_and(|rest| rest.starts_with('/'))
}
