//! From source files to an application, its generated files and the modules of the worker.
//!
//! Everything that is expensive is kept between runs: parses by content, links by file, resolved imports by
//! folder. A run after one edit costs one parse and what depends on it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use lunora_codegen::{GenerateOptions, GeneratedFile, Generator, PackagePrefix, Scope, WriteReport, Writer};
use lunora_config::Project;
use lunora_diagnostics::{Diagnostic, Severity, Span, codes};
use lunora_ir::Application;
use lunora_parse::{
    AnalyzeOptions, EmitOptions, FileAnalysis, Linker, ModuleImport, ParseCache, ProjectFiles, SourceText,
};

use crate::module_name::{DEPENDENCIES, dependency_file, module_name, relative_specifier};
use crate::resolution::{Alias, ImportResolver, Target};
use crate::sources::SourceSet;

/// One module of the development worker.
#[derive(Debug, Clone)]
pub struct WorkerModule {
    /// Its name, which is its path below the project root.
    pub name: Arc<str>,
    /// JavaScript, or JSON for a `.json` file.
    pub body: Arc<str>,
    /// Where its lines come from.
    pub source_map: Option<Arc<str>>,
    /// Whether it is JSON.
    pub is_json: bool,
}

/// The modules that the worker's entry reaches.
#[derive(Debug, Clone, Default)]
pub struct ModuleGraph {
    /// App modules, the entry first.
    pub modules: Vec<WorkerModule>,
    /// npm specifiers, sorted.
    pub packages: Vec<String>,
    /// Files outside the app's folder that take part, absolute.
    pub outside: BTreeSet<PathBuf>,
    /// Why single modules cannot express this app, when they cannot.
    pub needs_bundle: Option<String>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Built {
    /// The application.
    pub application: Application,
    /// Warnings and advice; there are no errors.
    pub diagnostics: Vec<Diagnostic>,
    /// What changed on disk.
    pub write: WriteReport,
    /// The worker's modules; empty when they were not asked for.
    pub graph: ModuleGraph,
    /// How long reading, linking and generating took, without the worker's modules.
    pub generate_time: Duration,
}

/// The state that is kept between runs.
pub struct Pipeline {
    project: Project,
    layout: Layout,
    sources: SourceSet,
    parse: ParseCache,
    linker: Linker,
    generator: Generator,
    writer: Writer,
    resolver: ImportResolver,
    /// How imports are written in the worker, by importing file and specifier.
    rewrites: Rewrites,
    /// Counts how often files came or went: what imports lead to may have changed then.
    resolution: u64,
    /// What the walk over imports learnt of each module.
    walked: HashMap<Arc<str>, WalkedModule>,
    emit: bool,
}

/// One module as the walk over imports saw it, good for as long as its analysis and the set of files stay.
#[derive(Clone)]
struct WalkedModule {
    analysis: Arc<FileAnalysis>,
    resolution: u64,
    /// Where each import leads.
    edges: Arc<[Edge]>,
    module: Option<WorkerModule>,
}

/// Where an import leads.
struct Edge {
    target: Target,
    /// The module, when it leads to a file that can be one.
    module: Option<Arc<str>>,
    /// Whether that file is one of the app's folder.
    in_app_folder: bool,
}

/// Answers of [`ResolveContext::rewritten`], kept until files come or go.
type Rewrites = Mutex<HashMap<Arc<str>, HashMap<Box<str>, Option<String>>>>;

/// Where things are.
#[derive(Debug, Clone)]
struct Layout {
    root: PathBuf,
    /// The folder of the schema and functions, absolute.
    folder: PathBuf,
    /// Its module name, for example `lunora`.
    directory: String,
    /// The module name of the folder of generated files.
    generated: String,
}

impl Layout {
    fn of(project: &Project) -> Self {
        let root = project.root.as_std_path().to_path_buf();
        let generated = module_name(&root, project.generated_dir().as_std_path());
        Self {
            folder: project.lunora_dir.as_std_path().to_path_buf(),
            directory: project.directory.clone(),
            generated,
            root,
        }
    }

    /// The file of a module.
    fn path_of(&self, module: &str) -> PathBuf {
        let mut path = self.root.clone();
        for part in module.split('/') {
            if part == "__up__" {
                path.pop();
            } else {
                path.push(part);
            }
        }
        path
    }
}

/// What a pipeline produces besides the generated files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Types and registry only.
    Codegen,
    /// The worker's modules too.
    Worker,
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

impl Pipeline {
    /// Reads the project's sources.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn open(project: Project, output: Output, aliases: &[Alias]) -> Result<Self, Diagnostic> {
        let layout = Layout::of(&project);
        Ok(Self {
            resolver: ImportResolver::new(project.tsconfig.as_deref().map(Utf8Path::as_std_path), aliases),
            writer: Writer::new(project.generated_dir().into_std_path_buf()),
            sources: SourceSet::read(&layout.root, &layout.folder)?,
            parse: ParseCache::default(),
            linker: Linker::default(),
            generator: Generator::default(),
            rewrites: Rewrites::default(),
            resolution: 0,
            walked: HashMap::new(),
            emit: output == Output::Worker,
            layout,
            project,
        })
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Every source as it was last read, generated ones included.
    #[must_use]
    pub fn sources(&self) -> &SourceSet {
        &self.sources
    }

    /// Reads everything again, whatever the watcher said.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn reread_all(&mut self) -> Result<(), Diagnostic> {
        self.sources = SourceSet::read(&self.layout.root, &self.layout.folder)?;
        self.forget_imports();
        Ok(())
    }

    /// Takes in changed files. Returns whether any text differs.
    ///
    /// # Errors
    /// When a file that is there cannot be read.
    pub fn reread<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) -> Result<bool, Diagnostic> {
        let mut changed = false;
        for file in files {
            let name = module_name(&self.layout.root, file);
            let existed = self.sources.contains(&name);
            changed |= self.sources.reread(&self.layout.root, file)?;
            if existed != self.sources.contains(&name) {
                self.forget_imports();
            }
        }
        Ok(changed)
    }

    /// What an import leads to can change with every file that comes or goes.
    fn forget_imports(&mut self) {
        self.resolver.forget();
        self.resolution += 1;
        self.rewrites.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a changed file concerns this pipeline.
    #[must_use]
    pub fn concerns(&self, file: &Path) -> bool {
        self.sources.contains(&module_name(&self.layout.root, file))
            || file
                .strip_prefix(&self.layout.folder)
                .is_ok_and(crate::sources::is_source)
    }

    fn generated_name(&self, file: &str) -> String {
        format!("{}/{file}", self.layout.generated)
    }

    /// Runs: links the app, writes the generated files and, where asked for, collects the worker's modules.
    /// With [`Scope::Modules`] the description of the API is left for [`Pipeline::describe`].
    ///
    /// # Errors
    /// Every error found; nothing was written then.
    pub fn run(&mut self, scope: Scope) -> Result<Built, Vec<Diagnostic>> {
        let started = Instant::now();
        let (application, generated, mut diagnostics) = self.generate(scope)?;
        let write = self.writer.write(&generated).map_err(|error| vec![error])?;
        let generate_time = started.elapsed();
        let mut graph = ModuleGraph::default();
        if self.emit {
            for file in generated.iter().filter(|file| !is_json(file.path)) {
                self.sources.insert(SourceText {
                    path: self.generated_name(file.path).into(),
                    text: file.contents.clone(),
                });
            }
            let (modules, found) = self.collect_modules();
            graph = modules;
            diagnostics.extend(found);
            if has_errors(&diagnostics) {
                return Err(diagnostics);
            }
        }
        Ok(Built {
            application,
            diagnostics,
            write,
            graph,
            generate_time,
        })
    }

    /// What codegen would write now, without writing it.
    ///
    /// # Errors
    /// Every error found.
    pub fn generate(
        &mut self,
        scope: Scope,
    ) -> Result<(Application, Vec<GeneratedFile>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (application, diagnostics) = self.link();
        if has_errors(&diagnostics) {
            return Err(diagnostics);
        }
        let generated = self.generator.generate(&application, &self.generate_options(), scope)?;
        Ok((application, generated, diagnostics))
    }

    /// Writes what [`Pipeline::run`] left behind for an application that it returned.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn describe(&mut self, application: &Application) -> Result<(), Vec<Diagnostic>> {
        let generated = self
            .generator
            .generate(application, &self.generate_options(), Scope::All)?;
        self.writer.write(&generated).map(|_| ()).map_err(|error| vec![error])
    }

    fn generate_options(&self) -> GenerateOptions {
        GenerateOptions {
            package_prefix: if self.project.package.depends_on_umbrella {
                PackagePrefix::Umbrella
            } else {
                PackagePrefix::Scoped
            },
            directory: self.layout.directory.clone(),
            title: self.project.worker_name(),
        }
    }

    fn analyze(&mut self) -> Vec<Arc<FileAnalysis>> {
        let files: Vec<SourceText> = self
            .sources
            .iter()
            .filter(|source| !is_json(&source.path))
            .cloned()
            .collect();
        let context = ResolveContext {
            layout: &self.layout,
            sources: &self.sources,
            resolver: &self.resolver,
        };
        let rewrites = &self.rewrites;
        let resolve = |file: &str, specifier: &str| {
            let known = |rewrites: &HashMap<Arc<str>, HashMap<Box<str>, Option<String>>>| {
                rewrites.get(file).and_then(|answers| answers.get(specifier)).cloned()
            };
            if let Some(answer) = known(&rewrites.lock().unwrap_or_else(PoisonError::into_inner)) {
                return answer;
            }
            let answer = context.rewritten(file, specifier);
            rewrites
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(file.into())
                .or_default()
                .insert(specifier.into(), answer.clone());
            answer
        };
        let emit = self.emit.then_some(EmitOptions {
            resolve: &resolve,
            resolution: self.resolution,
            verbatim_module_syntax: false,
            jsx_import_source: "react",
            source_map: true,
        });
        self.parse.update(&files, &AnalyzeOptions { emit })
    }

    fn link(&mut self) -> (Application, Vec<Diagnostic>) {
        // Generated modules follow from the others; linking them would link everything again after the first run.
        let generated = format!("{}/", self.layout.generated);
        let files = self
            .analyze()
            .into_iter()
            .filter(|analysis| !analysis.path.starts_with(&generated))
            .collect();
        let outcome = self.linker.link(&ProjectFiles {
            directory: self.layout.directory.clone(),
            files,
        });
        (outcome.application, outcome.diagnostics)
    }

    /// Follows imports from the worker's entry, reading what lies outside the app's folder as it is reached.
    fn collect_modules(&mut self) -> (ModuleGraph, Vec<Diagnostic>) {
        let entry = self.generated_name("worker.ts");
        loop {
            let analyses = self.analyze();
            let context = ResolveContext {
                layout: &self.layout,
                sources: &self.sources,
                resolver: &self.resolver,
            };
            let modules: HashMap<Arc<str>, WalkedModule> = analyses
                .into_iter()
                .map(|analysis| {
                    let known = self.walked.remove(&analysis.path);
                    let module = match known {
                        Some(known)
                            if Arc::ptr_eq(&known.analysis, &analysis) && known.resolution == self.resolution =>
                        {
                            known
                        }
                        _ => context.walked(analysis, self.resolution),
                    };
                    (module.analysis.path.clone(), module)
                })
                .collect();
            let walk = Walk::from(&entry, &modules, &context);
            let unread: Vec<PathBuf> = walk
                .files
                .iter()
                .filter(|file| !self.sources.contains(&module_name(&self.layout.root, file)))
                .cloned()
                .collect();
            self.walked = modules;
            if unread.is_empty() {
                return walk.finish(&self.layout, &self.walked, &self.sources);
            }
            let mut errors = Vec::new();
            for file in unread {
                if let Err(error) = self.sources.reread(&self.layout.root, &file) {
                    errors.push(error);
                }
            }
            if !errors.is_empty() {
                return (ModuleGraph::default(), errors);
            }
        }
    }
}

/// Everything that decides what an import stands for.
struct ResolveContext<'a> {
    layout: &'a Layout,
    sources: &'a SourceSet,
    resolver: &'a ImportResolver,
}

impl ResolveContext<'_> {
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
    fn walked(&self, analysis: Arc<FileAnalysis>, resolution: u64) -> WalkedModule {
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
    fn rewritten(&self, file: &str, specifier: &str) -> Option<String> {
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

/// A walk over imports from the entry.
struct Walk {
    order: Vec<Arc<str>>,
    files: BTreeSet<PathBuf>,
    packages: BTreeSet<String>,
    errors: Vec<Diagnostic>,
    needs_bundle: Option<String>,
}

fn is_module_file(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "ts" | "tsx" | "mts" | "js" | "jsx" | "mjs" | "json"))
}

impl Walk {
    fn from(entry: &str, modules: &HashMap<Arc<str>, WalkedModule>, context: &ResolveContext<'_>) -> Self {
        let mut walk = Self {
            order: Vec::new(),
            files: BTreeSet::new(),
            packages: BTreeSet::new(),
            errors: Vec::new(),
            needs_bundle: None,
        };
        let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut queue: std::collections::VecDeque<Arc<str>> = [Arc::from(entry)].into();
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
        context: &ResolveContext<'_>,
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

    fn finish(
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

fn is_json(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// What is wrong with a JSON file that the worker imports.
fn json_error(source: &SourceText) -> Option<Diagnostic> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&source.text).err()?;
    let start: usize = source
        .text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = (start + error.column().saturating_sub(1)).min(source.text.len());
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Some(
        Diagnostic::error(codes::SYNTAX_ERROR, format!("{} is not JSON: {error}", source.path))
            .at(source.path.to_string(), Span { start: at, end: at })
            .with_help("Fix it at the marked place; JSON has no comments and no trailing commas."),
    )
}

/// Files of the app's folder report their syntax errors through the linker already.
fn is_outside(layout: &Layout, name: &str) -> bool {
    !name
        .strip_prefix(layout.directory.as_str())
        .is_some_and(|rest| rest.starts_with('/'))
}
