//! The actor that owns the pipeline and the worker. Everything that changes goes through its one queue, so
//! the newest sources always win and nothing runs twice at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lunora_codegen::Scope;
use lunora_diagnostics::{Diagnostic, codes};
use lunora_watch::{WatchEvent, Watcher};
use lunora_workerd::{WorkerdEvent, WorkerdHandle};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::crons::CronBell;
use crate::databases::Databases;
use crate::dependencies::{DependencyCache, DependencyModule};
use crate::event::EngineEvent;
use crate::host::Host;
use crate::inspecting::Inspecting;
use crate::options::EngineOptions;
use crate::pipeline::{Built, Output, Pipeline};
use crate::relay::relay;
use crate::settings::discover;
use crate::watching::{is_configuration, watch};

/// What the actor is told.
pub(crate) enum Command {
    Watched(WatchEvent),
    /// Sources have been taken in that no build has seen.
    Reread,
    Refresh(oneshot::Sender<()>),
}

/// What a panic of the pipeline becomes.
pub(crate) fn panicked(error: &tokio::task::JoinError) -> Diagnostic {
    Diagnostic::error(
        codes::INTERNAL,
        format!("the toolchain failed on these sources: {error}"),
    )
    .with_help("This is a defect of Lunora. Change the sources you saved last and save again.")
}

pub(crate) struct Actor {
    pub(crate) host: Arc<Host>,
    pub(crate) options: EngineOptions,
    pub(crate) root: PathBuf,
    /// Not there while it runs, and after it was lost to a defect.
    pub(crate) pipeline: Option<Pipeline>,
    pub(crate) worker: Option<Arc<WorkerdHandle>>,
    pub(crate) inspecting: Option<Arc<Inspecting>>,
    pub(crate) databases: Arc<Databases>,
    pub(crate) cache: DependencyCache,
    pub(crate) dependencies: Option<(Vec<String>, Arc<[DependencyModule]>)>,
    pub(crate) watched: BTreeSet<PathBuf>,
    pub(crate) watcher: Watcher,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) failing: bool,
    /// Whether a worker has answered since the start.
    pub(crate) served: bool,
    pub(crate) crons: CronBell,
    pub(crate) last_findings: Vec<Diagnostic>,
    pub(crate) fallback_told: bool,
}

impl Actor {
    pub(crate) async fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Command>,
        events: Option<broadcast::Receiver<WorkerdEvent>>,
        stop: CancellationToken,
    ) {
        let relay = events.map(|events| {
            tokio::spawn(relay(
                events,
                self.host.clone(),
                self.inspecting.clone(),
                self.root.clone(),
                self.options.color,
                stop.clone(),
            ))
        });
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
                Command::Reread => due = true,
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
        if files.iter().any(|file| is_configuration(&self.root, file)) {
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
        let built = self.run_pipeline().await;
        // Before anything else, and after a failure too: what is wrong may be in one of those files.
        self.widen_watch();
        let built = built?;
        self.host.tell(EngineEvent::Generated {
            written: built.write.written.clone(),
            removed: built.write.removed.clone(),
            tables: built.application.tables.len(),
            functions: built.application.functions.len(),
            milliseconds: built.generate_time.as_secs_f64() * 1000.0,
        });
        if let (Some(inspecting), Some(pipeline)) = (&self.inspecting, &self.pipeline) {
            inspecting.describe(&built, pipeline);
        }
        if let Some(worker) = self.worker.clone() {
            self.serve(&worker, &built).await?;
            self.crons.set(&built.application, worker.events(), self.host.sink());
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

    /// Watches the folders of files that the worker reaches outside the app's folder.
    fn widen_watch(&mut self) {
        let Some(pipeline) = &mut self.pipeline else { return };
        let mut wanted = self.watched.clone();
        for file in pipeline.outside() {
            if let Some(folder) = file.parent()
                && !wanted.iter().any(|root| folder.starts_with(root))
            {
                wanted.insert(folder.to_path_buf());
            }
        }
        if wanted == self.watched {
            return;
        }
        let widened = watch(&self.root, wanted.clone(), &self.commands).and_then(|watcher| {
            self.watcher = watcher;
            self.watched = wanted;
            // Nobody watched those files while they were read, and what the last watcher had yet to say is lost.
            pipeline.reread_known()
        });
        match widened {
            // There is nobody to tell only when the actor is at its end.
            Ok(true) => drop(self.commands.send(Command::Reread)),
            Ok(false) => {}
            Err(error) => self.tell_findings(&[error]),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use lunora_testing::TempProject;

    use super::*;

    const SCHEMA: &str = "import { defineSchema } from \"lunorash/server\";\nexport const schema = defineSchema({});\n";
    const NOTES: &str = "import { query } from \"./_generated/server\";\nimport { text } from \"../shared/text\";\nexport const list = query.query(async () => text);\n";

    /// An actor without a worker that collects the worker's modules, and whether its last run was a good one.
    fn actor(project: &TempProject, queue: &mpsc::UnboundedSender<Command>) -> (Actor, Arc<AtomicBool>) {
        let root = std::fs::canonicalize(project.root()).unwrap();
        let options: EngineOptions =
            serde_json::from_value(serde_json::json!({ "root": root, "worker": true })).unwrap();
        let found = discover(&root, None).unwrap();
        let folder = found.lunora_dir.as_std_path().to_path_buf();
        let watched = BTreeSet::from([folder]);
        let good = Arc::new(AtomicBool::new(false));
        let told = good.clone();
        let sink = move |event| match event {
            EngineEvent::Generated { .. } => told.store(true, Ordering::SeqCst),
            EngineEvent::Diagnostics { .. } => told.store(false, Ordering::SeqCst),
            _ => {}
        };
        let actor = Actor {
            host: Arc::new(Host::new(Arc::new(sink))),
            cache: DependencyCache::new(&root.join(".lunora")),
            pipeline: Some(Pipeline::open(found, Output::Worker, &[]).unwrap()),
            worker: None,
            inspecting: None,
            databases: Arc::new(Databases::below(&root.join(".lunora/state"))),
            dependencies: None,
            watcher: watch(&root, watched.clone(), queue).unwrap(),
            watched,
            commands: queue.clone(),
            failing: false,
            served: false,
            crons: CronBell::default(),
            last_findings: Vec::new(),
            fallback_told: false,
            options,
            root,
        };
        (actor, good)
    }

    /// An error outside the app's folder that is mended while the engine is about to watch that folder.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_edit_outside_the_folder_is_not_missed_while_the_watch_widens() {
        for round in 0..40 {
            let project = TempProject::new([
                ("package.json", "{ \"dependencies\": { \"lunorash\": \"1\" } }"),
                ("lunora/schema.ts", SCHEMA),
                ("lunora/notes.ts", NOTES),
                ("shared/text.ts", "export const text = ;"),
                (
                    "node_modules/lunorash/package.json",
                    "{ \"exports\": { \"./*\": \"./x.js\" } }",
                ),
                ("node_modules/lunorash/x.js", ""),
            ]);
            let (commands, queue) = mpsc::unbounded_channel();
            let (actor, good) = actor(&project, &commands);
            let stop = CancellationToken::new();
            let task = tokio::spawn(actor.run(queue, None, stop.clone()));
            let file = project.path("shared/text.ts");
            tokio::time::sleep(Duration::from_micros(250 * round)).await;
            std::fs::write(file, "export const text = 1;").unwrap();
            let started = Instant::now();
            while !good.load(Ordering::SeqCst) {
                assert!(started.elapsed() < Duration::from_secs(20), "round {round}: missed");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            stop.cancel();
            task.await.unwrap();
        }
    }
}
