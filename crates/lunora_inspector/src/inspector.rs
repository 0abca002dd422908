//! A running inspector, as its engine holds it.

use std::future::IntoFuture as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lunora_diagnostics::{Diagnostic, codes};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, About, Api, ResidencySource};
use crate::chaos::{Chaos, ChaosChanged, ChaosState};
use crate::guard::Guard;
use crate::hub::{Clock, Hub, WorkerState};
use crate::listener::{accept, bind};
use crate::log_join::WorkerLine;
use crate::mail::{self, Deliver, Inbox, InboxOptions, capture_router};
use crate::run_file::RunFile;
use crate::server::Server;
use crate::tap_listener;
use crate::timeline::{Entry, Limits};
use crate::token::Token;
use crate::upstream::Upstream;

/// How often printed lines that waited for the tap are looked at.
const LOG_PERIOD: Duration = Duration::from_millis(250);
/// How long closing waits for connections.
const CLOSE_LIMIT: Duration = Duration::from_millis(100);

/// What an inspector is made of.
pub struct InspectorOptions {
    /// The project; its `.lunora` tells programs where the inspector is.
    pub root: PathBuf,
    /// Port of both loopback addresses; 0 leaves the choice to the system.
    pub port: u16,
    /// Of the timeline.
    pub limits: Limits,
    /// Name of the app.
    pub app: String,
    /// Of the toolchain.
    pub version: String,
    /// Where the app's worker answers, for example `http://127.0.0.1:8787`, and the token of its admin routes.
    pub worker: Option<(String, String)>,
    /// What is known of where data is.
    pub residency: ResidencySource,
    /// The mail that the app sends and receives, and how it is given to the worker.
    pub mail: Option<(InboxOptions, Deliver)>,
    /// Hears when chaos begins and ends, whoever wanted it.
    pub chaos_changed: ChaosChanged,
    /// Tells the time.
    pub clock: Clock,
}

/// A running inspector. Dropping it ends it at once; [`Inspector::close`] waits for the end.
pub struct Inspector {
    hub: Arc<Hub>,
    upstream: Option<Upstream>,
    chaos: Arc<Chaos>,
    origin: String,
    url: String,
    tap_socket: PathBuf,
    stop: CancellationToken,
    connections: TaskTracker,
    warnings: Vec<Diagnostic>,
    /// Removed when dropped.
    left_behind: std::sync::Mutex<Option<(RunFile, tempfile::TempDir)>>,
}

impl Inspector {
    /// Opens its sockets and begins to answer. Needs a tokio runtime.
    ///
    /// # Errors
    /// `PORT_TAKEN`, `PORT_UNUSABLE`, `INTERNAL`.
    pub async fn start(options: InspectorOptions) -> Result<Self, Diagnostic> {
        let failed = |what: &str, error: &std::io::Error| {
            Diagnostic::error(codes::INTERNAL, format!("The inspector could not {what}: {error}."))
        };
        let token = Token::random()?;
        let upstream = match &options.worker {
            Some((url, admin_token)) => Some(Upstream::new(url, admin_token)?),
            None => None,
        };
        let (port, listeners) = bind(options.port).await?;
        let tap = tap_listener::open().map_err(|error| failed("listen to the worker", &error))?;
        let guard = Guard::new(port, token.clone());
        let origin = guard.origin();
        let run_file = RunFile::write(&options.root.join(".lunora"), &origin, &token)
            .map_err(|error| failed("write `.lunora/inspector.json`", &error))?;

        let hub = Arc::new(Hub::new(options.limits, options.clock));
        let (mail, torn) = match options.mail {
            Some((inbox, deliver)) => {
                let (inbox, torn) = open_inbox(inbox, hub.clone())?;
                (Some((Arc::new(inbox), deliver)), torn)
            }
            None => (None, Vec::new()),
        };
        let captures = mail.as_ref().map(|(inbox, _)| capture_router(inbox.clone()));
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let inbox = mail.as_ref().map(|(inbox, _)| inbox.clone());
        let chaos = Arc::new(Chaos::new(
            hub.clone(),
            upstream.clone(),
            stop.clone(),
            connections.clone(),
            options.chaos_changed,
        ));
        let mail =
            mail.map(|(inbox, deliver)| mail::router(inbox, mail::simulation(deliver, &hub), guard.tickets().clone()));
        let routes = api::router(
            Api {
                hub: hub.clone(),
                about: Arc::new(About {
                    app: options.app,
                    version: options.version,
                    url: options.worker.map(|(url, _)| url),
                }),
                upstream: upstream.clone(),
                residency: options.residency,
                inbox,
                chaos: chaos.clone(),
                stop: stop.clone(),
            },
            mail.unwrap_or_default(),
        );
        let server = Arc::new(Server::new(guard, routes));
        for listener in listeners {
            let (server, tasks, stop) = (server.clone(), connections.clone(), stop.clone());
            connections.spawn(accept(listener, server, tasks, stop));
        }
        let told = tap_listener::router(hub.clone()).merge(captures.unwrap_or_default());
        let taken = axum::serve(tap.listener, told).into_future();
        connections.spawn(until(stop.clone(), async {
            // It ends with the select only.
            drop(taken.await);
        }));
        connections.spawn(until(stop.clone(), settle_logs(hub.clone())));
        Ok(Self {
            hub,
            upstream,
            chaos,
            url: format!("{origin}/#token={}", token.expose()),
            origin,
            tap_socket: tap.path,
            stop,
            connections,
            warnings: torn,
            left_behind: std::sync::Mutex::new(Some((run_file, tap.folder))),
        })
    }

    /// Where the page is, without the token: `http://127.0.0.1:4000`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where the page is, with the token in the fragment, which no browser sends anywhere.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The unix socket that the worker's tap tells.
    #[must_use]
    pub const fn tap_socket(&self) -> &PathBuf {
        &self.tap_socket
    }

    /// What is wrong with what an earlier run left, and does not keep this one from running.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Asks the worker with another admin token from now on.
    ///
    /// # Errors
    /// When it cannot stand in a header.
    pub fn set_admin_token(&self, admin_token: &str) -> Result<(), Diagnostic> {
        self.upstream
            .as_ref()
            .map_or(Ok(()), |upstream| upstream.set_admin_token(admin_token))
    }

    /// Takes what a build has read of the app: tables, functions, shapes, jurisdiction and drift.
    pub fn set_application(&self, application: Map<String, Value>) {
        self.hub.app().application = application;
    }

    /// Takes the findings of the newest sources.
    pub fn set_findings(&self, findings: Vec<Value>) {
        self.hub.app().findings = findings;
    }

    /// A worker serves.
    pub fn serving(&self, generation: u64) {
        let mut app = self.hub.app();
        app.worker = WorkerState::Serving;
        app.generation = generation;
        drop(app);
        let now = self.hub.now();
        self.hub.timeline().worker_restarted(now);
    }

    /// No worker serves, and none is about to.
    pub fn failed(&self) {
        self.hub.app().worker = WorkerState::Failed;
    }

    /// Plays the seed from its first step once a worker serves, in the place of what is played; ends chaos for none.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a seed beyond [`crate::LARGEST_SEED`], `WORKER_UNAVAILABLE` where the engine runs no worker.
    pub fn set_chaos(&self, seed: Option<u64>) -> Result<Option<ChaosState>, Diagnostic> {
        self.chaos.set(seed)
    }

    /// Takes a line that workerd printed.
    pub fn printed(&self, line: WorkerLine) {
        self.hub.worker_line(line);
    }

    /// Ends every connection and removes what others find it by. Again is harmless.
    pub async fn close(&self) {
        self.stop.cancel();
        self.connections.close();
        drop(timeout(CLOSE_LIMIT, self.connections.wait()).await);
        let mut left_behind = self
            .left_behind
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(left_behind.take());
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Opens the inbox; its changes are events of the timeline, so that a reader of the feed sees them.
fn open_inbox(mut options: InboxOptions, hub: Arc<Hub>) -> Result<(Inbox, Vec<Diagnostic>), Diagnostic> {
    options.changed = Arc::new(move |change| {
        if let Ok(Value::Object(event)) = serde_json::to_value(change)
            && let Ok(entry) = Entry::of(event, None)
        {
            hub.take(vec![entry], 0);
        }
    });
    Inbox::open(options)
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn settle_logs(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(LOG_PERIOD).await;
        hub.settle_logs();
    }
}
