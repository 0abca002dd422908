//! A running engine, as its host holds it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_inspector::ChaosState;
use lunora_workerd::{PortChoice, StartOptions, WorkerdHandle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::actor::{Actor, Command, panicked};
use crate::crons::CronBell;
use crate::databases::Databases;
use crate::dependencies::DependencyCache;
use crate::host::{EventSink, Host};
use crate::inspecting::Inspecting;
use crate::options::EngineOptions;
use crate::pipeline::{Output, Pipeline};
use crate::settings::discover;
use crate::watching::watch;

/// A running engine. Dropping it ends workerd at once; [`Engine::close`] waits for the end.
pub struct Engine {
    host: Arc<Host>,
    commands: mpsc::UnboundedSender<Command>,
    stop: CancellationToken,
    worker: Option<Arc<WorkerdHandle>>,
    inspecting: Option<Arc<Inspecting>>,
    databases: Arc<Databases>,
    task: Mutex<Option<JoinHandle<()>>>,
}

fn stopped() -> Diagnostic {
    Diagnostic::error(codes::ENGINE_CLOSED, "the engine is closed").with_help("Start it again.")
}

fn play(inspecting: Option<&Inspecting>, seed: Option<u64>) -> Result<Option<ChaosState>, Diagnostic> {
    let inspecting = inspecting.ok_or_else(|| {
        Diagnostic::error(
            codes::CHAOS_NEEDS_INSPECTOR,
            "chaos was asked for, and there is no inspector to play it",
        )
        .with_help("Leave `inspector` at `true`, or do without `chaos`.")
    })?;
    inspecting.inspector.set_chaos(seed)
}

impl Engine {
    /// Opens the project, takes the state lock and the port, and begins to build. The first worker is ready
    /// when [`EngineEvent::Ready`] comes.
    ///
    /// # Errors
    /// When the project is not there, its state is held by another process, a port is taken or workerd
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
        let start = start_options(&root, &options);
        let databases = Arc::new(Databases::below(&start.state_directory));
        let worker = if options.worker {
            Some(Arc::new(WorkerdHandle::start(start).await?))
        } else {
            None
        };
        let inspecting = match (&worker, options.inspector.port()) {
            (Some(worker), Some(port)) => Some(Arc::new(
                Inspecting::start(&project, options.lunora_directory.clone(), port, worker, sink.clone()).await?,
            )),
            _ => None,
        };
        if let Some(seed) = options.chaos {
            play(inspecting.as_deref(), Some(seed))?;
        }
        let (commands, queue) = mpsc::unbounded_channel();
        // Watched before it is read: what changes in between is read again, not missed.
        let watcher = watch(&root, BTreeSet::from([lunora_folder.clone()]), &commands)?;
        let pipeline = {
            let aliases = options.alias.clone();
            tokio::task::spawn_blocking(move || Pipeline::open(project, output, &aliases))
                .await
                .map_err(|error| panicked(&error))??
        };
        let host = Arc::new(Host::new(sink));
        if let Some(inspecting) = &inspecting {
            inspecting.announce(&host);
        }
        let stop = CancellationToken::new();
        let events = worker.as_ref().map(|worker| worker.subscribe());
        let actor = Actor {
            cache: DependencyCache::new(&root.join(".lunora")),
            host: host.clone(),
            pipeline: Some(pipeline),
            worker: worker.clone(),
            inspecting: inspecting.clone(),
            databases: databases.clone(),
            watched: BTreeSet::from([lunora_folder]),
            watcher,
            commands: commands.clone(),
            dependencies: None,
            failing: false,
            served: false,
            crons: CronBell::default(),
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
            inspecting,
            databases,
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

    /// Plays a seed from its first step, in the place of what is played; ends chaos for none. Needs a tokio runtime.
    ///
    /// # Errors
    /// `CHAOS_NEEDS_INSPECTOR`; `BAD_REQUEST` for a seed of more than 53 bits.
    pub fn set_chaos(&self, seed: Option<u64>) -> Result<Option<ChaosState>, Diagnostic> {
        play(self.inspecting.as_deref(), seed)
    }

    /// Ends the watcher and workerd. Calling it again does nothing.
    pub async fn close(&self) {
        self.stop.cancel();
        if let Some(inspecting) = &self.inspecting {
            inspecting.inspector.close().await;
        }
        if let Some(worker) = &self.worker {
            worker.close().await;
        }
        self.databases.close().await;
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
