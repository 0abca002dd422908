//! The files as a graph of modules: what a specifier, an import and an export mean.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::FileAnalysis;
use crate::facts::{Binding, BindingKind, ExportTarget, FileFacts, Imported, Name};

/// How long a chain of re-exports may be.
const MAX_REEXPORTS: usize = 64;

/// Extensions tried, in order, for a specifier without one.
const EXTENSIONS: &[&str] = &["ts", "tsx", "mts", "js", "jsx", "mjs"];

/// A file by its place in [`Modules::files`].
pub(super) type FileIndex = u32;

/// A file of `_generated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GeneratedModule {
    Server,
    Api,
    Other,
}

/// What a specifier leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A file of the app.
    File(FileIndex),
    /// `_generated/…`
    Generated(GeneratedModule),
    /// A package of ours: `lunorash/server`, `@lunora/values`, …
    Framework,
    /// A relative path below the app's folder that names no file.
    Missing,
    /// Anything else: npm packages, files elsewhere.
    Outside,
}

/// What a name means.
#[derive(Debug, Clone)]
pub(super) enum Symbol<'modules> {
    /// Bound at the top level of a file.
    Binding {
        file: FileIndex,
        name: Name,
        binding: &'modules Binding,
    },
    /// `import * as …` of a file of the app.
    Namespace(FileIndex),
    /// From a generated module.
    Generated { module: GeneratedModule, name: Imported },
    /// From a package of ours.
    Framework(Imported),
    /// From elsewhere.
    Outside { specifier: Name },
    /// The module or the export does not exist.
    Missing { specifier: Name },
    /// Bound nowhere in the file: a global.
    Global,
}

/// All files of the app that can hold source, sorted by module path.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// The app's folder, without a trailing slash.
    pub(super) directory: String,
    pub(super) files: Vec<Arc<FileAnalysis>>,
    pub(super) by_path: FxHashMap<Arc<str>, FileIndex>,
    /// Module paths of folders that hold files.
    folders: FxHashSet<String>,
    /// Where the specifiers of each file lead.
    targets: Vec<Vec<(Name, Target)>>,
}

impl Modules {
    pub(super) fn new(directory: &str, analyses: &[Arc<FileAnalysis>]) -> Self {
        let directory = directory.trim_end_matches('/').to_owned();
        let generated = format!("{directory}/_generated/");
        let mut keyed: Vec<(String, Arc<FileAnalysis>)> = analyses
            .iter()
            .filter(|analysis| !analysis.path.starts_with(&generated))
            // With the colon, the order of files is the order of their functions' paths.
            .map(|analysis| {
                (
                    format!("{}:", module_path(&directory, &analysis.path)),
                    analysis.clone(),
                )
            })
            .collect();
        keyed.sort_by(|left, right| (&left.0, &left.1.path).cmp(&(&right.0, &right.1.path)));
        let files: Vec<Arc<FileAnalysis>> = keyed.into_iter().map(|(_, analysis)| analysis).collect();
        let by_path = files
            .iter()
            .enumerate()
            .map(|(index, analysis)| {
                (
                    analysis.path.clone(),
                    FileIndex::try_from(index).unwrap_or(FileIndex::MAX),
                )
            })
            .collect();
        let folders = files
            .iter()
            .filter_map(|analysis| module_path(&directory, &analysis.path).rsplit_once('/'))
            .map(|(folder, _)| folder.to_owned())
            .collect();
        let count = files.len();
        let mut modules = Self {
            directory,
            files,
            by_path,
            folders,
            targets: vec![Vec::new(); count],
        };
        for index in 0..count {
            modules.find_targets(FileIndex::try_from(index).unwrap_or(FileIndex::MAX));
        }
        modules
    }

    /// Puts a new analysis in the place of the one of the same path.
    pub(super) fn replace(&mut self, index: FileIndex, analysis: Arc<FileAnalysis>) {
        self.files[index as usize] = analysis;
        self.find_targets(index);
    }

    fn find_targets(&mut self, index: FileIndex) {
        let facts = self.files[index as usize].facts.clone();
        let reexported = facts.exports.iter().filter_map(|export| match &export.target {
            ExportTarget::From { specifier, .. } => Some(specifier),
            ExportTarget::Local(_) => None,
        });
        let specifiers = facts
            .imports
            .values()
            .map(|import| &import.specifier)
            .chain(reexported)
            .chain(facts.export_all.iter().map(|export| &export.specifier));
        let mut targets: Vec<(Name, Target)> = Vec::new();
        for specifier in specifiers {
            if !targets.iter().any(|(known, _)| known == specifier) {
                targets.push((specifier.clone(), self.find_target(index, specifier)));
            }
        }
        self.targets[index as usize] = targets;
    }

    /// Whether a module path is a folder with files.
    pub(super) fn is_folder(&self, module: &str) -> bool {
        self.folders.contains(module)
    }

    pub(super) fn resolve(&self, from: FileIndex, specifier: &Name) -> Target {
        self.targets[from as usize]
            .iter()
            .find(|(known, _)| known == specifier)
            .map_or_else(|| self.find_target(from, specifier), |(_, target)| *target)
    }

    pub(super) fn file(&self, index: FileIndex) -> &FileAnalysis {
        &self.files[index as usize]
    }

    pub(super) fn facts(&self, index: FileIndex) -> &FileFacts {
        &self.files[index as usize].facts
    }

    pub(super) fn path(&self, index: FileIndex) -> &str {
        &self.files[index as usize].path
    }

    /// The file with one of the usual extensions at a path without one.
    pub(super) fn find(&self, stem: &str) -> Option<FileIndex> {
        EXTENSIONS
            .iter()
            .find_map(|extension| self.by_path.get(format!("{stem}.{extension}").as_str()).copied())
    }

    fn find_target(&self, from: FileIndex, specifier: &str) -> Target {
        if !specifier.starts_with("./") && !specifier.starts_with("../") && specifier != "." && specifier != ".." {
            let ours =
                specifier == "lunorash" || specifier.starts_with("lunorash/") || specifier.starts_with("@lunora/");
            return if ours { Target::Framework } else { Target::Outside };
        }
        let Some(path) = join(self.path(from), specifier) else {
            return Target::Outside;
        };
        let Some(inside) = path
            .strip_prefix(self.directory.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
        else {
            return if path == self.directory {
                self.found(&path)
            } else {
                Target::Outside
            };
        };
        if let Some(generated) = inside.strip_prefix("_generated/") {
            return Target::Generated(match without_extension(generated) {
                "server" => GeneratedModule::Server,
                "api" => GeneratedModule::Api,
                _ => GeneratedModule::Other,
            });
        }
        self.found(&path)
    }

    fn found(&self, path: &str) -> Target {
        if let Some(index) = self.by_path.get(path) {
            return Target::File(*index);
        }
        // `.js` in an import means the `.ts` beside it.
        let swapped: &[(&str, &[&str])] = &[(".js", &[".ts", ".tsx"]), (".jsx", &[".tsx"]), (".mjs", &[".mts"])];
        for (written, meant) in swapped {
            if let Some(stem) = path.strip_suffix(written) {
                for extension in *meant {
                    if let Some(index) = self.by_path.get(format!("{stem}{extension}").as_str()) {
                        return Target::File(*index);
                    }
                }
            }
        }
        self.find(path)
            .or_else(|| self.find(&format!("{path}/index")))
            .map_or(Target::Missing, Target::File)
    }

    /// What a name means at the top level of a file. Every file that is asked is pushed to `asked`.
    pub(super) fn lookup(&self, file: FileIndex, name: &Name, asked: &mut Vec<FileIndex>) -> Symbol<'_> {
        self.lookup_within(file, name, asked, MAX_REEXPORTS)
    }

    fn lookup_within(&self, file: FileIndex, name: &Name, asked: &mut Vec<FileIndex>, fuel: usize) -> Symbol<'_> {
        let facts = self.facts(file);
        if let Some(binding) = facts.bindings.get(name) {
            return Symbol::Binding {
                file,
                name: name.clone(),
                binding,
            };
        }
        match facts.imports.get(name) {
            Some(import) => self.imported(file, &import.specifier, &import.imported, asked, fuel),
            None => Symbol::Global,
        }
    }

    fn imported(
        &self,
        from: FileIndex,
        specifier: &Name,
        imported: &Imported,
        asked: &mut Vec<FileIndex>,
        fuel: usize,
    ) -> Symbol<'_> {
        match self.resolve(from, specifier) {
            Target::File(file) => {
                asked.push(file);
                match imported {
                    Imported::Namespace => Symbol::Namespace(file),
                    Imported::Named(name) => {
                        self.export_within(file, name, asked, fuel)
                            .unwrap_or_else(|| Symbol::Missing {
                                specifier: specifier.clone(),
                            })
                    }
                }
            }
            Target::Generated(module) => Symbol::Generated {
                module,
                name: imported.clone(),
            },
            Target::Framework => Symbol::Framework(imported.clone()),
            Target::Missing => Symbol::Missing {
                specifier: specifier.clone(),
            },
            Target::Outside => Symbol::Outside {
                specifier: specifier.clone(),
            },
        }
    }

    /// What an export of a file means.
    pub(super) fn export(&self, file: FileIndex, name: &Name, asked: &mut Vec<FileIndex>) -> Option<Symbol<'_>> {
        asked.push(file);
        self.export_within(file, name, asked, MAX_REEXPORTS)
    }

    fn export_within(
        &self,
        file: FileIndex,
        name: &Name,
        asked: &mut Vec<FileIndex>,
        fuel: usize,
    ) -> Option<Symbol<'_>> {
        let fuel = fuel.checked_sub(1)?;
        let facts = self.facts(file);
        if let Some(export) = facts.exports.iter().find(|export| export.name == *name) {
            return Some(self.export_target(file, &export.target, asked, fuel));
        }
        if &**name == "default" {
            return None;
        }
        facts
            .export_all
            .iter()
            .find_map(|export| match self.resolve(file, &export.specifier) {
                Target::File(target) => {
                    asked.push(target);
                    self.export_within(target, name, asked, fuel)
                }
                _ => None,
            })
    }

    pub(super) fn export_target(
        &self,
        file: FileIndex,
        target: &ExportTarget,
        asked: &mut Vec<FileIndex>,
        fuel: usize,
    ) -> Symbol<'_> {
        match target {
            ExportTarget::Local(local) => self.lookup_within(file, local, asked, fuel),
            ExportTarget::From { specifier, name } => self.imported(file, specifier, name, asked, fuel),
        }
    }

    /// The exports of a file with those of `export *`, nearest first.
    pub(super) fn exported_names(&self, file: FileIndex, asked: &mut Vec<FileIndex>) -> Vec<(Name, FileIndex, usize)> {
        let mut names = Vec::new();
        let mut seen = Vec::new();
        self.collect_exports(file, true, &mut seen, &mut names, asked);
        names
    }

    fn collect_exports(
        &self,
        file: FileIndex,
        own: bool,
        seen: &mut Vec<FileIndex>,
        names: &mut Vec<(Name, FileIndex, usize)>,
        asked: &mut Vec<FileIndex>,
    ) {
        if seen.contains(&file) {
            return;
        }
        seen.push(file);
        for (index, export) in self.facts(file).exports.iter().enumerate() {
            if (own || &*export.name != "default") && !names.iter().any(|(name, ..)| *name == export.name) {
                names.push((export.name.clone(), file, index));
            }
        }
        for export in &self.facts(file).export_all {
            if let Target::File(target) = self.resolve(file, &export.specifier) {
                asked.push(target);
                self.collect_exports(target, false, seen, names, asked);
            }
        }
    }
}

/// Whether a binding is a function, and which.
pub(super) fn function_of(binding: &Binding) -> Option<u32> {
    match &binding.kind {
        BindingKind::Function(index) => Some(*index),
        BindingKind::Constant(expression) => match expression.kind {
            crate::facts::ExpressionKind::Function(index) => Some(index),
            _ => None,
        },
        BindingKind::Class(_) | BindingKind::Other(_) => None,
    }
}

/// The path below the app's folder, without extension: `admin/users`.
pub(super) fn module_path<'path>(directory: &str, path: &'path str) -> &'path str {
    let inside = path
        .strip_prefix(directory)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(path);
    without_extension(inside)
}

/// Whether a file may hold functions.
pub(super) fn holds_functions(directory: &str, path: &str) -> bool {
    let Some(inside) = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')) else {
        return false;
    };
    let module = without_extension(inside);
    let extension = inside.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension)
        && module != "schema"
        && module != "app"
        && !module.ends_with(".test")
        && !module.ends_with(".spec")
        && !module.ends_with(".d")
        && !inside
            .split('/')
            .any(|part| part == "__tests__" || part == "_generated")
}

fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if EXTENSIONS.contains(&extension) => stem,
        _ => path,
    }
}

/// A relative specifier from a file; `None` when it leaves the project.
fn join(from: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn specifiers_join() {
        assert_eq!(join("lunora/a/b.ts", "../c.js").unwrap(), "lunora/c.js");
        assert_eq!(join("lunora/b.ts", "./c").unwrap(), "lunora/c");
        assert_eq!(join("lunora/b.ts", "../../c"), None);
    }

    #[test]
    fn which_files_hold_functions() {
        for path in ["lunora/messages.ts", "lunora/admin/users.tsx", "lunora/a.b.ts"] {
            assert!(holds_functions("lunora", path), "{path}");
        }
        for path in [
            "lunora/schema.ts",
            "lunora/app.ts",
            "lunora/_generated/api.ts",
            "lunora/a.test.ts",
            "lunora/a.spec.ts",
            "lunora/a.d.ts",
            "lunora/__tests__/a.ts",
            "src/a.ts",
            "lunora/data.json",
        ] {
            assert!(!holds_functions("lunora", path), "{path}");
        }
    }
}
