//! A production build behind a port.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunora_config::{FileAction, Project, file_diagnostic};
use lunora_diagnostics::Diagnostic;
use lunora_workerd::{PortChoice, ReloadOutcome, StartOptions, WorkerdHandle};
use tokio_util::sync::CancellationToken;

use super::manifest::{BuildManifest, missing};
use super::options::ServeOptions;
use super::settings::production_settings;
use super::stored_schema;
use crate::crons::CronBell;
use crate::databases::Databases;
use crate::event::EngineEvent;
use crate::host::{EventSink, Host};
use crate::relay::relay;
use crate::release::{ReleaseOptions, judged, use_up};
use crate::remap::SourceMaps;
use crate::settings::discover;
use crate::worker;

/// Where builds are, below the project.
const BUILD_FOLDER: &str = "dist/worker";
/// Where data is unless it is said, below the project.
const STATE_FOLDER: &str = ".lunora/production";

/// A running production server. Dropping it ends workerd at once; [`Server::close`] lets requests end.
pub struct Server {
    worker: WorkerdHandle,
    databases: Databases,
    stop: CancellationToken,
    /// Rings as long as it is here.
    _crons: CronBell,
}

fn one(error: Diagnostic) -> Vec<Diagnostic> {
    vec![error]
}

fn start_options(project: &Project, options: &ServeOptions, state: &Path, client: Option<&str>) -> StartOptions {
    let mut start = StartOptions::new(project.root.as_std_path());
    if options.workerd.is_some() {
        start.workerd.clone_from(&options.workerd);
    }
    start.state_directory = state.to_path_buf();
    start.port = match options.port {
        0 => PortChoice::Any,
        port => PortChoice::Exact(port),
    };
    if let Some(host) = options.host {
        start.address = host;
        start.any_host = !host.is_loopback();
    }
    start.assets = client.map(|folder| project.root.join(folder).into_std_path_buf());
    start.allowed_hosts.clone_from(&options.allowed_hosts);
    "lunora start".clone_into(&mut start.command);
    // Production does not add one either: what a client does not name is not sent twice.
    start.add_mutation_ids = false;
    start
}

/// Refuses a build whose schema the stored data does not survive. The folder is locked by then. Answers the receipt of
/// the export that covers a change of the jurisdiction.
fn check_stored(
    project: &Project,
    manifest: &BuildManifest,
    options: &ServeOptions,
    state: &Path,
    url: &str,
) -> Result<Option<PathBuf>, Vec<Diagnostic>> {
    let Some(stored) = stored_schema::read(state).map_err(one)? else {
        return Ok(None);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let asked = ReleaseOptions {
        root: options.root.clone(),
        lunora_directory: options.lunora_directory.clone(),
        allow_schema_drift: options.allow_schema_drift,
        update_schema_baseline: false,
        strand_data: options.strand_data,
        rehearsal: false,
        url: Some(url.to_owned()),
        deployed: None,
        now: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
    };
    let asked = (&asked, options.allowed_hosts.as_slice());
    judged(project, &stored, &manifest.schema, &manifest.application, asked)
}

impl Server {
    /// Locks the state folder, compares the build's schema with the one that wrote the data, and serves. The address
    /// comes with [`EngineEvent::Ready`], told before this returns.
    ///
    /// # Errors
    /// When there is no build, its schema does not fit the data, the state is held by another process, the port is
    /// taken or the worker does not start.
    pub async fn start(options: ServeOptions, sink: EventSink) -> Result<Self, Vec<Diagnostic>> {
        let project = discover(&options.root, options.lunora_directory.as_deref()).map_err(one)?;
        let root = project.root.as_std_path().to_path_buf();
        let build = root.join(BUILD_FOLDER);
        let manifest = BuildManifest::read(&build.join("lunora.json")).map_err(one)?;
        let file = build.join("worker.js");
        let body = match std::fs::read_to_string(&file) {
            Ok(body) => body,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(one(missing(&file, "is not there")));
            }
            Err(error) => return Err(one(file_diagnostic(FileAction::Read, &file, &error))),
        };
        let (settings, warnings) = production_settings(&project, &options.secrets, variables())?;
        let state = options.state.clone().unwrap_or_else(|| root.join(STATE_FOLDER));

        let worker = WorkerdHandle::start(start_options(&project, &options, &state, manifest.client.as_deref()))
            .await
            .map_err(one)?;
        let host = Arc::new(Host::new(sink));
        let mut crons = CronBell::new(options.clock_offset);
        crons.set(&manifest.application, worker.events(), host.sink());
        let server = Self {
            stop: CancellationToken::new(),
            worker,
            databases: Databases::below(&state),
            _crons: crons,
        };
        let events = server.worker.subscribe();
        tokio::spawn(relay(
            events,
            host.clone(),
            None,
            root.clone(),
            options.color,
            server.stop.clone(),
        ));
        let url = server.worker.url().to_owned();
        let served = server
            .serve(&project, &options, &state, (manifest, body, build), &settings)
            .await;
        let milliseconds = match served {
            Ok(milliseconds) => milliseconds,
            Err(errors) => {
                server.close(Duration::ZERO).await;
                return Err(errors);
            }
        };
        for warning in warnings {
            host.tell(EngineEvent::Notice {
                message: warning.message,
            });
        }
        host.tell(EngineEvent::Ready {
            url,
            milliseconds,
            generation: 1,
        });
        Ok(server)
    }

    async fn serve(
        &self,
        project: &Project,
        options: &ServeOptions,
        state: &Path,
        (manifest, body, build): (BuildManifest, String, PathBuf),
        settings: &worker::WorkerSettings,
    ) -> Result<f64, Vec<Diagnostic>> {
        let receipt = check_stored(project, &manifest, options, state, self.worker.url())?;
        let map = std::fs::read_to_string(build.join("worker.js.map")).ok();
        let name = "dist/worker/worker.js";
        let remapper = SourceMaps::of_bundle(name, map.as_deref());
        let mut description = worker::from_bundle(name, body.into(), remapper, &manifest.application, settings);
        description.d1 = self.databases.serve(&manifest.application, settings).await?;
        let outcome = self.worker.update(description).await.map_err(one)?;
        stored_schema::write(state, &manifest.schema).map_err(one)?;
        if let Some(receipt) = receipt {
            use_up(project.root.as_std_path(), &receipt).map_err(one)?;
        }
        Ok(match outcome {
            ReloadOutcome::Serving { duration, .. } => duration.as_secs_f64() * 1000.0,
            ReloadOutcome::Unchanged { .. } | ReloadOutcome::Superseded { .. } => 0.0,
        })
    }

    /// Takes no further connection, lets the requests under way end for as long as `limit`, and ends workerd. Returns
    /// whether all of them ended.
    pub async fn close(&self, limit: Duration) -> bool {
        let all = self.worker.drain(limit).await;
        self.worker.close().await;
        self.databases.close().await;
        self.stop.cancel();
        all
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The environment as far as it is text.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
