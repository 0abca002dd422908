//! The actor that owns the pipeline and the worker. Everything that changes goes through its one queue, so
//! the newest sources always win and nothing runs twice at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunora_codegen::Scope;
use lunora_diagnostics::{Diagnostic, RenderOptions, Severity, codes};
use lunora_watch::{WatchEvent, WatchOptions, Watcher};
use lunora_workerd::{
    LogLevel, PortChoice, ReloadOutcome, StartOptions, WorkerDescription, WorkerdEvent, WorkerdHandle,
};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dependencies::{BundledDependencies, DependencyCache, DependencyModule};
use crate::event::{DependencyEntry, EngineEvent};
use crate::host::{EventSink, Host};
use crate::module_name::dependency_file;
use crate::options::EngineOptions;
use crate::pipeline::{Built, ModuleGraph, Output, Pipeline};
use crate::remap::SourceMaps;
use crate::settings::{development_settings, discover, with_configuration};
use crate::worker::{self, WorkerSettings};

enum Command {
    Watched(WatchEvent),
    Refresh(oneshot::Sender<()>),
}

/// A running engine. Dropping it ends workerd at once; [`Engine::close`] waits for the end.
pub struct Engine {
    host: Arc<Host>,
    commands: mpsc::UnboundedSender<Command>,
    stop: CancellationToken,
    worker: Option<Arc<WorkerdHandle>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

fn stopped() -> Diagnostic {
    Diagnostic::error(codes::ENGINE_CLOSED, "the engine is closed").with_help("Start it again.")
}

impl Engine {
    /// Opens the project, takes the state lock and the port, and begins to build. The first worker is ready
    /// when [`EngineEvent::Ready`] comes.
    ///
    /// # Errors
    /// When the project is not there, its state is held by another process, the port is taken or workerd
    /// cannot be found.
    pub async fn start(options: EngineOptions, sink: EventSink) -> Result<Self, Diagnostic> {
        let project = discover(&options.root, options.lunora_directory.as_deref())?;
        let output = if options.worker {
            Output::Worker
        } else {
            Output::Codegen
        };
        let root = project.root.as_std_path().to_path_buf();
        let lunora_folder = project.lunora_dir.as_std_path().to_path_buf();
        let worker = if options.worker {
            Some(Arc::new(WorkerdHandle::start(start_options(&root, &options)).await?))
        } else {
            None
        };
        let pipeline = {
            let aliases = options.alias.clone();
            tokio::task::spawn_blocking(move || Pipeline::open(project, output, &aliases))
                .await
                .map_err(|error| panicked(&error))??
        };
        let host = Arc::new(Host::new(sink));
        let (commands, queue) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let watcher = watch(&root, BTreeSet::from([lunora_folder.clone()]), &commands)?;
        let events = worker.as_ref().map(|worker| worker.subscribe());
        let actor = Actor {
            cache: DependencyCache::new(&root.join(".lunora")),
            host: host.clone(),
            pipeline: Some(pipeline),
            worker: worker.clone(),
            watched: BTreeSet::from([lunora_folder]),
            watcher,
            commands: commands.clone(),
            dependencies: None,
            failing: false,
            served: false,
            last_findings: Vec::new(),
            fallback_told: false,
            options,
            root,
        };
        let task = tokio::spawn(actor.run(queue, events, stop.clone()));
        Ok(Self {
            host,
            commands,
            stop,
            worker,
            task: Mutex::new(Some(task)),
        })
    }

    /// Takes the host's answer to a request.
    ///
    /// # Errors
    /// When no such request is open.
    pub fn respond(&self, request: u32, answer: serde_json::Value) -> Result<(), Diagnostic> {
        self.host.respond(request, answer)
    }

    /// Reads everything again and resolves when that is served or refused.
    ///
    /// # Errors
    /// When the engine is closed.
    pub async fn refresh(&self) -> Result<(), Diagnostic> {
        let (done, wait) = oneshot::channel();
        self.commands.send(Command::Refresh(done)).map_err(|_| stopped())?;
        wait.await.map_err(|_| stopped())
    }

    /// Ends the watcher and workerd. Calling it again does nothing.
    pub async fn close(&self) {
        self.stop.cancel();
        if let Some(worker) = &self.worker {
            worker.close().await;
        }
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // The actor may be inside a parse; it ends by itself, and nobody has to wait for that.
            drop(tokio::time::timeout(Duration::from_millis(400), task).await);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn start_options(root: &Path, options: &EngineOptions) -> StartOptions {
    let mut start = StartOptions::new(root);
    if options.workerd.is_some() {
        start.workerd.clone_from(&options.workerd);
    }
    start.port = match (options.port, options.next_free_port) {
        (0, _) => PortChoice::Any,
        (port, true) => PortChoice::StartingAt(port),
        (port, false) => PortChoice::Exact(port),
    };
    start.allowed_hosts.clone_from(&options.allowed_hosts);
    start.command.clone_from(&options.command);
    start
}

/// Files of the project's root that decide how sources are read or what the worker is given.
const CONFIGURATION: &[&str] = &[
    ".dev.vars",
    ".env",
    ".env.local",
    "package.json",
    "tsconfig.json",
    "wrangler.json",
    "wrangler.jsonc",
];

fn watch(
    root: &Path,
    roots: BTreeSet<PathBuf>,
    commands: &mpsc::UnboundedSender<Command>,
) -> Result<Watcher, Diagnostic> {
    let commands = commands.clone();
    let options = WatchOptions {
        files: CONFIGURATION.iter().map(|name| root.join(name)).collect(),
        ..WatchOptions::default()
    };
    Watcher::start(roots.into_iter().collect(), options, move |event| {
        // After the actor ended there is nobody to tell.
        drop(commands.send(Command::Watched(event)));
    })
}

fn panicked(error: &tokio::task::JoinError) -> Diagnostic {
    Diagnostic::error(
        codes::INTERNAL,
        format!("the toolchain failed on these sources: {error}"),
    )
    .with_help("This is a defect of Lunora. Change the sources you saved last and save again.")
}

struct Actor {
    host: Arc<Host>,
    options: EngineOptions,
    root: PathBuf,
    /// Not there while it runs, and after it was lost to a defect.
    pipeline: Option<Pipeline>,
    worker: Option<Arc<WorkerdHandle>>,
    cache: DependencyCache,
    dependencies: Option<(Vec<String>, Arc<[DependencyModule]>)>,
    watched: BTreeSet<PathBuf>,
    watcher: Watcher,
    commands: mpsc::UnboundedSender<Command>,
    failing: bool,
    /// Whether a worker has answered since the start.
    served: bool,
    last_findings: Vec<Diagnostic>,
    fallback_told: bool,
}

impl Actor {
    async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Command>,
        events: Option<broadcast::Receiver<WorkerdEvent>>,
        stop: CancellationToken,
    ) {
        let relay =
            events.map(|events| tokio::spawn(relay(events, self.host.clone(), self.options.color, stop.clone())));
        let work = async {
            self.build().await;
            while let Some(command) = queue.recv().await {
                let mut batch = vec![command];
                while let Ok(next) = queue.try_recv() {
                    batch.push(next);
                }
                self.take(batch).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
        self.watcher.close();
        if let Some(relay) = relay {
            relay.abort();
        }
    }

    async fn take(&mut self, batch: Vec<Command>) {
        let mut due = self.pipeline.is_none();
        let mut answered = Vec::new();
        for command in batch {
            match command {
                Command::Watched(WatchEvent::Changes(changes)) => {
                    if changes.rescanned {
                        due |= self.reread_all();
                    } else {
                        due |= self.reread(changes.changes.keys().map(PathBuf::as_path));
                    }
                    // While something is wrong, whatever changed may have been it.
                    due |= self.failing;
                }
                Command::Watched(WatchEvent::Diagnostic(diagnostic)) => self.tell_findings(&[diagnostic]),
                Command::Refresh(done) => {
                    due |= self.reread_all();
                    answered.push(done);
                }
            }
        }
        if due {
            self.build().await;
        }
        for done in answered {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn reread_all(&mut self) -> bool {
        let Some(pipeline) = &mut self.pipeline else {
            return true;
        };
        match pipeline.reread_all() {
            Ok(()) => true,
            Err(error) => {
                self.refuse(vec![error]);
                false
            }
        }
    }

    fn reread<'a>(&mut self, files: impl Iterator<Item = &'a Path>) -> bool {
        let files: Vec<&Path> = files.collect();
        if files.iter().any(|file| self.is_configuration(file)) {
            // The project is found and read anew, with whatever the configuration says now.
            self.pipeline = None;
            return true;
        }
        let Some(pipeline) = &mut self.pipeline else {
            return true;
        };
        let files = files.into_iter();
        let concerned: Vec<&Path> = files.filter(|file| pipeline.concerns(file)).collect();
        match pipeline.reread(concerned) {
            Ok(changed) => changed,
            Err(error) => {
                self.refuse(vec![error]);
                false
            }
        }
    }

    fn is_configuration(&self, file: &Path) -> bool {
        file.parent() == Some(&*self.root)
            && file
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| CONFIGURATION.contains(&name))
    }

    async fn build(&mut self) {
        match self.try_build().await {
            Ok(()) => {}
            Err(errors) => self.refuse(errors),
        }
    }

    /// Runs the pipeline on a thread of its own; a panic there is a finding, not the end.
    async fn run_pipeline(&mut self) -> Result<Built, Vec<Diagnostic>> {
        let pipeline = self.pipeline.take();
        let options = self.options.clone();
        let root = self.root.clone();
        let joined = tokio::task::spawn_blocking(move || {
            let mut pipeline = match pipeline {
                Some(pipeline) => pipeline,
                None => {
                    let output = if options.worker {
                        Output::Worker
                    } else {
                        Output::Codegen
                    };
                    let project = discover(&root, options.lunora_directory.as_deref()).map_err(|error| vec![error])?;
                    Pipeline::open(project, output, &options.alias).map_err(|error| vec![error])?
                }
            };
            let built = pipeline.run(Scope::Modules);
            Ok::<_, Vec<Diagnostic>>((pipeline, built))
        })
        .await;
        match joined {
            Ok(Ok((pipeline, built))) => {
                self.pipeline = Some(pipeline);
                built
            }
            Ok(Err(errors)) => Err(errors),
            Err(error) => Err(vec![panicked(&error)]),
        }
    }

    async fn try_build(&mut self) -> Result<(), Vec<Diagnostic>> {
        let built = self.run_pipeline().await?;
        self.host.tell(EngineEvent::Generated {
            written: built.write.written.clone(),
            removed: built.write.removed.clone(),
            tables: built.application.tables.len(),
            functions: built.application.functions.len(),
            milliseconds: built.generate_time.as_secs_f64() * 1000.0,
        });
        if let Some(worker) = self.worker.clone() {
            self.serve(&worker, &built).await?;
            self.widen_watch(&built.graph);
        }
        self.describe(&built).await?;
        if self.failing {
            self.failing = false;
            self.host.tell(EngineEvent::Recovered);
        }
        if built.diagnostics != self.last_findings {
            self.tell_findings(&built.diagnostics);
            self.last_findings = built.diagnostics;
        }
        Ok(())
    }

    /// Writes the description of the API, which nobody waits for, after everything else.
    async fn describe(&mut self, built: &Built) -> Result<(), Vec<Diagnostic>> {
        let Some(mut pipeline) = self.pipeline.take() else {
            return Ok(());
        };
        let application = built.application.clone();
        let joined = tokio::task::spawn_blocking(move || {
            let described = pipeline.describe(&application);
            (pipeline, described)
        })
        .await;
        match joined {
            Ok((pipeline, described)) => {
                self.pipeline = Some(pipeline);
                described
            }
            Err(error) => Err(vec![panicked(&error)]),
        }
    }

    async fn serve(&mut self, worker: &WorkerdHandle, built: &Built) -> Result<(), Vec<Diagnostic>> {
        let project = self.pipeline.as_ref().map(Pipeline::project);
        let (settings, warnings) = match project {
            Some(project) => development_settings(project)?,
            None => (WorkerSettings::default(), Vec::new()),
        };
        if !warnings.is_empty() && !self.last_findings.iter().any(|known| warnings.contains(known)) {
            self.tell_findings(&warnings);
        }
        let description = if self.options.bundle || built.graph.needs_bundle.is_some() {
            self.bundled(built, &settings).await.map_err(|error| vec![error])?
        } else {
            let dependencies = self
                .dependencies(&built.graph.packages)
                .await
                .map_err(|error| vec![error])?;
            worker::from_modules(&built.graph, &dependencies, &built.application, &settings).ok_or_else(|| {
                vec![
                    Diagnostic::error(codes::INTERNAL, "the worker has no entry module")
                        .with_help("This is a defect of Lunora."),
                ]
            })?
        };
        worker.refuse(None);
        match worker
            .update(description)
            .await
            .map_err(|error| vec![self.placed(error)])?
        {
            ReloadOutcome::Serving { generation, duration } => {
                self.served = true;
                self.host.tell(EngineEvent::Ready {
                    url: worker.url().to_owned(),
                    milliseconds: duration.as_secs_f64() * 1000.0,
                    generation,
                });
            }
            ReloadOutcome::Unchanged { .. } | ReloadOutcome::Superseded { .. } => {}
        }
        Ok(())
    }

    /// Puts a failed start at the place in the sources that its stack names.
    fn placed(&self, error: Diagnostic) -> Diagnostic {
        let place = lunora_workerd::first_location(&error).and_then(|(file, line, column)| {
            let span = self.pipeline.as_ref()?.sources().span_at(&file, line, column)?;
            Some((file, span))
        });
        match place {
            Some((file, span)) => error.at(file, span),
            None => error,
        }
    }

    /// The bundled npm packages: from memory, from the cache, or from the host.
    async fn dependencies(&mut self, specifiers: &[String]) -> Result<Arc<[DependencyModule]>, Diagnostic> {
        if specifiers.is_empty() {
            return Ok(Arc::from([]));
        }
        if let Some((known, modules)) = &self.dependencies
            && known == specifiers
            && self.cache.is_fresh(specifiers)
        {
            return Ok(modules.clone());
        }
        let modules: Arc<[DependencyModule]> = match self.cache.load(specifiers) {
            Some(modules) => modules.into(),
            None => self.bundle_dependencies(specifiers).await?.into(),
        };
        self.dependencies = Some((specifiers.to_vec(), modules.clone()));
        Ok(modules)
    }

    async fn bundle_dependencies(&self, specifiers: &[String]) -> Result<Vec<DependencyModule>, Diagnostic> {
        let staged = self.cache.stage(specifiers)?;
        let failed = |error: String| {
            Diagnostic::error(
                codes::DEPENDENCY_BUNDLE_FAILED,
                format!("the npm packages of the worker could not be bundled: {error}"),
            )
            .with_help("Check that they are installed (npm install) and made for workers or browsers.")
        };
        let answer = self
            .host
            .ask(|request| EngineEvent::Dependencies {
                request,
                entries: specifiers
                    .iter()
                    .map(|specifier| DependencyEntry {
                        specifier: specifier.clone(),
                        file: dependency_file(specifier),
                    })
                    .collect(),
                output_directory: staged.clone(),
                root: self.root.clone(),
            })
            .await
            .map_err(failed)?;
        let bundled: BundledDependencies = serde_json::from_value(answer).map_err(|error| failed(error.to_string()))?;
        self.cache.store(specifiers, &staged, &bundled)
    }

    async fn bundled(&mut self, built: &Built, settings: &WorkerSettings) -> Result<WorkerDescription, Diagnostic> {
        let reason = built.graph.needs_bundle.clone();
        if let (Some(reason), false) = (&reason, self.fallback_told) {
            self.fallback_told = true;
            self.host.tell(EngineEvent::Notice {
                message: format!("{reason}; the worker is bundled from now on, which makes reloads slower"),
            });
        }
        let folder = self.root.join(".lunora").join("cache").join("bundle");
        let file = folder.join("worker.js");
        let failed = |error: String| {
            Diagnostic::error(
                codes::WORKER_BUNDLE_FAILED,
                format!("the worker could not be bundled: {error}"),
            )
            .with_help("Fix what the bundler names, or remove the import that needs it.")
        };
        let entry = self
            .pipeline
            .as_ref()
            .map(|pipeline| pipeline.project().generated_dir().join("worker.ts").into_std_path_buf())
            .unwrap_or_default();
        self.host
            .ask(|request| EngineEvent::Bundle {
                request,
                entry,
                output_file: file.clone(),
                root: self.root.clone(),
                reason,
            })
            .await
            .map_err(failed)?;
        let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let map = std::fs::read_to_string(file.with_extension("js.map")).ok();
        let name = ".lunora/cache/bundle/worker.js";
        let remapper = SourceMaps::of_bundle(name, map.as_deref());
        Ok(worker::from_bundle(
            name,
            text.into(),
            remapper,
            &built.application,
            settings,
        ))
    }

    /// Watches the folders of files that the worker reaches outside the app's folder.
    fn widen_watch(&mut self, graph: &ModuleGraph) {
        let mut wanted = self.watched.clone();
        for file in &graph.outside {
            if let Some(folder) = file.parent()
                && !wanted.iter().any(|root| folder.starts_with(root))
            {
                wanted.insert(folder.to_path_buf());
            }
        }
        if wanted == self.watched {
            return;
        }
        match watch(&self.root, wanted.clone(), &self.commands) {
            Ok(watcher) => {
                self.watcher = watcher;
                self.watched = wanted;
            }
            Err(error) => self.tell_findings(&[error]),
        }
    }

    /// The newest sources cannot be served; what served before goes on.
    fn refuse(&mut self, errors: Vec<Diagnostic>) {
        self.failing = true;
        // Behind a worker that has served, requests wait for it to be back; they are refused only while there is none.
        if let (false, Some(worker), Some(first)) = (self.served, &self.worker, errors.first()) {
            worker.refuse(Some(first.clone()));
        }
        self.tell_findings(&errors);
        self.last_findings = errors;
    }

    fn tell_findings(&self, findings: &[Diagnostic]) {
        if findings.is_empty() {
            return;
        }
        let sources = self
            .pipeline
            .as_ref()
            .map(|pipeline| pipeline.sources().named_by(findings))
            .unwrap_or_default();
        let sources = with_configuration(sources, &self.root, findings);
        let render = RenderOptions {
            color: self.options.color,
            ..RenderOptions::default()
        };
        self.host.tell(EngineEvent::Diagnostics {
            diagnostics: findings
                .iter()
                .map(|finding| lunora_diagnostics::to_json(finding, &sources))
                .collect(),
            rendered: findings
                .iter()
                .map(|finding| lunora_diagnostics::render_text(finding, &sources, &render))
                .collect::<Vec<_>>()
                .join("\n"),
            serving: findings.iter().any(|finding| finding.severity == Severity::Error) && self.served,
        });
    }
}

/// Passes on what the worker says.
async fn relay(mut events: broadcast::Receiver<WorkerdEvent>, host: Arc<Host>, color: bool, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(WorkerdEvent::Log(log)) => {
                let level = match log.level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info | LogLevel::Log => "info",
                    LogLevel::Warn => "warn",
                    LogLevel::Error => "error",
                };
                host.tell(EngineEvent::Log {
                    level,
                    rendered: crate::log_line::render(level, &log.message, color),
                    message: log.message,
                });
            }
            Ok(WorkerdEvent::Exited { status, restart_in, .. }) => host.tell(EngineEvent::Notice {
                message: format!(
                    "workerd ended ({status}); it is started again in {} ms",
                    restart_in.as_millis()
                ),
            }),
            Ok(WorkerdEvent::Diagnostic(diagnostic)) => {
                let none = lunora_diagnostics::SourceFiles::default();
                let render = RenderOptions {
                    color,
                    ..RenderOptions::default()
                };
                host.tell(EngineEvent::Diagnostics {
                    diagnostics: vec![lunora_diagnostics::to_json(&diagnostic, &none)],
                    rendered: lunora_diagnostics::render_text(&diagnostic, &none, &render),
                    serving: true,
                });
            }
            Ok(WorkerdEvent::Started { .. }) => {}
            Err(broadcast::error::RecvError::Lagged(count)) => host.tell(EngineEvent::Notice {
                message: format!("{count} log lines of the worker were dropped because they came too fast"),
            }),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
