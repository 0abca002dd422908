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
use lunora_diagnostics::{Diagnostic, Severity};
use lunora_ir::Application;
use lunora_parse::{AnalyzeOptions, EmitOptions, FileAnalysis, Linker, ParseCache, ProjectFiles, SourceText};

use crate::import_context::{ImportContext, WalkedModule};
use crate::json_module::is_json;
use crate::layout::Layout;
use crate::module_graph::ModuleGraph;
use crate::module_name::module_name;
use crate::module_walk::Walk;
use crate::resolution::{Alias, ImportResolver};
use crate::sources::SourceSet;

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

/// Answers of [`ImportContext::rewritten`], kept until files come or go.
type Rewrites = Mutex<HashMap<Arc<str>, HashMap<Box<str>, Option<String>>>>;

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

    /// Files outside the app's folder that have been read, absolute.
    pub(crate) fn outside(&self) -> impl Iterator<Item = PathBuf> {
        let inside = format!("{}/", self.layout.directory);
        self.sources
            .iter()
            .filter(move |source| !source.path.starts_with(&inside))
            .map(|source| self.layout.path_of(&source.path))
    }

    /// Looks at every known file again, and for new ones. Returns whether anything differs.
    ///
    /// # Errors
    /// When a file that is there cannot be read.
    pub(crate) fn reread_known(&mut self) -> Result<bool, Diagnostic> {
        let generated = format!("{}/", self.layout.generated);
        let found = SourceSet::read(&self.layout.root, &self.layout.folder)?;
        let names: BTreeSet<Arc<str>> = self
            .sources
            .iter()
            .chain(found.iter())
            .map(|source| source.path.clone())
            .filter(|name| !name.starts_with(&generated))
            .collect();
        let files: Vec<PathBuf> = names.iter().map(|name| self.layout.path_of(name)).collect();
        self.reread(files.iter().map(PathBuf::as_path))
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
            if !write.removed.is_empty() {
                let gone: Vec<String> = write.removed.iter().map(|file| self.generated_name(file)).collect();
                self.sources.retain(|name| !gone.iter().any(|gone| gone == name));
            }
            graph = self.collect(&generated, &mut diagnostics)?;
        }
        Ok(Built {
            application,
            diagnostics,
            write,
            graph,
            generate_time,
        })
    }

    /// The worker's modules, with the generated ones as they are handed in.
    fn collect(
        &mut self,
        generated: &[GeneratedFile],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<ModuleGraph, Vec<Diagnostic>> {
        for file in generated.iter().filter(|file| !is_json(&file.path)) {
            self.sources.insert(SourceText {
                path: self.generated_name(&file.path).into(),
                text: file.contents.clone(),
            });
        }
        let (graph, found) = self.collect_modules();
        diagnostics.extend(found);
        if has_errors(diagnostics) {
            return Err(std::mem::take(diagnostics));
        }
        Ok(graph)
    }

    /// What [`Pipeline::run`] would do, without writing anything.
    ///
    /// # Errors
    /// Every error found.
    pub fn rehearse(&mut self) -> Result<(Application, Vec<GeneratedFile>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (application, generated, mut diagnostics) = self.generate(Scope::All)?;
        if self.emit {
            self.collect(&generated, &mut diagnostics)?;
        }
        Ok((application, generated, diagnostics))
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
        let context = ImportContext {
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
        let mut diagnostics = outcome.diagnostics;
        // Advice on an app that is not whole would be about what is missing.
        if !has_errors(&diagnostics) {
            diagnostics.extend(lunora_lint::lint(&outcome.application, &outcome.observations, |file| {
                self.sources.get(file).map(|source| &*source.text)
            }));
        }
        (outcome.application, diagnostics)
    }

    /// Follows imports from the worker's entry, reading what lies outside the app's folder as it is reached.
    fn collect_modules(&mut self) -> (ModuleGraph, Vec<Diagnostic>) {
        let entry = self.generated_name("worker.ts");
        loop {
            let analyses = self.analyze();
            let context = ImportContext {
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
