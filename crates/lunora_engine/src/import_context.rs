//! What the imports of a file lead to, and how the development worker writes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lunora_parse::FileAnalysis;

use crate::layout::Layout;
use crate::module_graph::WorkerModule;
use crate::module_name::{DEPENDENCIES, dependency_file, module_name, relative_specifier};
use crate::resolution::{ImportResolver, Target};
use crate::sources::SourceSet;

/// One module as the walk over imports saw it, good for as long as its analysis and the set of files stay.
#[derive(Clone)]
pub(crate) struct WalkedModule {
    pub(crate) analysis: Arc<FileAnalysis>,
    pub(crate) resolution: u64,
    /// Where each import leads.
    pub(crate) edges: Arc<[Edge]>,
    pub(crate) module: Option<WorkerModule>,
}

/// Where an import leads.
pub(crate) struct Edge {
    pub(crate) target: Target,
    /// The module, when it leads to a file that can be one.
    pub(crate) module: Option<Arc<str>>,
    /// Whether that file is one of the app's folder.
    pub(crate) in_app_folder: bool,
}

/// Everything that decides what an import stands for.
pub(crate) struct ImportContext<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) sources: &'a SourceSet,
    pub(crate) resolver: &'a ImportResolver,
}

impl ImportContext<'_> {
    fn target(&self, file: &str, specifier: &str) -> Target {
        if let Some(path) = self.known_file(file, specifier) {
            return Target::File(path);
        }
        let path = self.layout.path_of(file);
        let folder: Arc<Path> = path.parent().unwrap_or(&self.layout.root).into();
        self.resolver.resolve(&folder, specifier)
    }

    /// Relative imports between known files need no look at the disk; the generated ones may not be there yet.
    fn known_file(&self, file: &str, specifier: &str) -> Option<PathBuf> {
        if !specifier.starts_with("./") && !specifier.starts_with("../") {
            return None;
        }
        let mut parts: Vec<&str> = file.split('/').collect();
        parts.pop();
        for part in specifier.split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts.pop()?;
                }
                name => parts.push(name),
            }
        }
        let base = parts.join("/");
        let stem = base.strip_suffix(".js").unwrap_or(&base);
        let candidates = [
            base.clone(),
            format!("{stem}.ts"),
            format!("{stem}.tsx"),
            format!("{base}.ts"),
            format!("{base}.js"),
            format!("{base}/index.ts"),
        ];
        candidates
            .into_iter()
            .find(|candidate| {
                self.sources.contains(candidate)
                    || candidate
                        .strip_prefix(self.layout.generated.as_str())
                        .and_then(|rest| rest.strip_prefix('/'))
                        .is_some_and(|name| lunora_codegen::GENERATED_MODULES.contains(&name))
            })
            .map(|candidate| self.layout.path_of(&candidate))
    }

    /// Looks up what the walk needs to know of a module.
    pub(crate) fn walked(&self, analysis: Arc<FileAnalysis>, resolution: u64) -> WalkedModule {
        let module = analysis.javascript.as_ref().map(|javascript| WorkerModule {
            name: analysis.path.clone(),
            body: javascript.code.clone(),
            source_map: javascript.source_map.clone(),
            is_json: false,
        });
        let edges = analysis
            .imports
            .iter()
            .map(|import| {
                let target = self.target(&analysis.path, &import.specifier);
                let file = match &target {
                    Target::File(path) if is_module_file(path) => Some(path),
                    _ => None,
                };
                Edge {
                    module: file.map(|path| module_name(&self.layout.root, path).into()),
                    in_app_folder: file.is_some_and(|path| path.starts_with(&self.layout.folder)),
                    target,
                }
            })
            .collect();
        WalkedModule {
            analysis,
            resolution,
            edges,
            module,
        }
    }

    /// How the import is written in the development worker; `None` leaves it as it is.
    pub(crate) fn rewritten(&self, file: &str, specifier: &str) -> Option<String> {
        match self.target(file, specifier) {
            Target::File(path) => Some(relative_specifier(file, &module_name(&self.layout.root, &path))),
            Target::Package => Some(relative_specifier(
                file,
                &format!("{DEPENDENCIES}/{}", dependency_file(specifier)),
            )),
            Target::Runtime | Target::Missing(_) => None,
        }
    }
}

fn is_module_file(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "ts" | "tsx" | "mts" | "js" | "jsx" | "mjs" | "json"))
}
