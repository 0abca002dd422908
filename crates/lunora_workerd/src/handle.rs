//! What the rest of the toolchain sees: start, update, listen, close.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use lunora_diagnostics::{Diagnostic, codes};
use tokio::sync::{Mutex as AsyncMutex, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::binary::resolve_binary;
use crate::certificates::certificate_environment;
use crate::event::WorkerdEvent;
use crate::events_socket::EventsSocket;
use crate::log_context::LogContext;
use crate::proxy::assets::Assets;
use crate::proxy::forward::Proxy;
use crate::proxy::gate::Gate;
use crate::proxy::guard::Guard;
use crate::proxy::pool::Pool;
use crate::proxy::retry::RetryRules;
use crate::proxy::server::{PortChoice, accept, bind};
use crate::state_directory::StateDirectory;
use crate::supervisor::actor::{ActorParts, Command, run_actor};
use crate::supervisor::spawner::{Listeners, Spawner};
use crate::worker_description::WorkerDescription;

/// Events kept for a reader that falls behind; older ones are lost to it, and it is told how many.
const EVENT_CAPACITY: usize = 4096;
/// The parts of closing that wait for others.
const ACTOR_CLOSE_LIMIT: Duration = Duration::from_millis(400);
const CONNECTION_CLOSE_LIMIT: Duration = Duration::from_millis(50);
/// Holds the way from the proxy to workerd.
const PUBLIC_SOCKET_FILE: &str = "http.sock";
/// Raises events.
const EVENTS_SOCKET_FILE: &str = "events.sock";

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How to run the worker of an app.
#[derive(Clone)]
pub struct StartOptions {
    /// `node_modules` is searched from here upwards.
    pub app_root: PathBuf,
    /// Created when missing; held exclusively.
    pub state_directory: PathBuf,
    /// The binary to use whatever is installed.
    pub workerd: Option<PathBuf>,
    /// The address to listen on.
    pub address: IpAddr,
    /// Which of its ports.
    pub port: PortChoice,
    /// Requests may name any host and come from pages of any origin: the app decides, as it does in production.
    pub any_host: bool,
    /// Further hosts that requests may name: `app.test` on any port, `app.test:5173` on that one.
    pub allowed_hosts: Vec<String>,
    /// A folder of files that are served before the worker is asked.
    pub assets: Option<PathBuf>,
    /// What a second process is told holds the state folder, for example `vite dev`.
    pub command: String,
    /// Environment of workerd besides secrets; nothing else is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// How long a request waits for a worker.
    pub hold_limit: Duration,
    /// How long a reload waits for requests in flight.
    pub drain_limit: Duration,
    /// How long a worker may take to start.
    pub start_limit: Duration,
    /// Give mutations that carry no id one, so that they survive a reload. Costs a row per mutation.
    pub add_mutation_ids: bool,
    /// Tells today's date.
    pub clock: Clock,
}

impl StartOptions {
    /// Options for the app in `app_root`; `LUNORA_WORKERD` is read from the environment.
    #[must_use]
    pub fn new(app_root: impl Into<PathBuf>) -> Self {
        let app_root = app_root.into();
        Self {
            state_directory: app_root.join(".lunora/state"),
            app_root,
            workerd: std::env::var_os("LUNORA_WORKERD")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: PortChoice::Any,
            any_host: false,
            allowed_hosts: Vec::new(),
            assets: None,
            command: "lunora dev".to_owned(),
            environment: certificate_environment(|name| std::env::var_os(name), Path::exists),
            hold_limit: Duration::from_secs(10),
            drain_limit: Duration::from_millis(50),
            start_limit: Duration::from_secs(10),
            add_mutation_ids: true,
            clock: Arc::new(SystemTime::now),
        }
    }
}

/// How an update came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It serves.
    Serving {
        /// Number of the description.
        generation: u64,
        /// From the update to the readiness of the process.
        duration: Duration,
    },
    /// What it describes serves already, so nothing was restarted.
    Unchanged {
        /// Number of the description that serves.
        generation: u64,
    },
    /// A newer update took its place before it served.
    Superseded {
        /// Number of this description.
        generation: u64,
    },
}

/// A running front proxy and the workerd behind it. Dropping it ends both without waiting.
pub struct WorkerdHandle {
    port: u16,
    url: String,
    commands: mpsc::UnboundedSender<Command>,
    events: broadcast::Sender<WorkerdEvent>,
    proxy: Arc<Proxy>,
    process_id: Arc<AtomicU32>,
    events_socket: EventsSocket,
    stop: CancellationToken,
    abort: CancellationToken,
    closing: AsyncMutex<Option<Closing>>,
    /// Aborted on drop; `closing` may be locked then.
    actor: Mutex<Option<tokio::task::AbortHandle>>,
}

/// What closing waits for.
struct Closing {
    actor: JoinHandle<()>,
    acceptor: JoinHandle<()>,
    connections: TaskTracker,
    /// Removed with its sockets when dropped.
    _sockets: tempfile::TempDir,
}

impl WorkerdHandle {
    /// Locks the state folder, finds the binary, opens the port. workerd itself starts with the first
    /// [`update`](Self::update); requests wait for it. Needs a tokio runtime.
    ///
    /// # Errors
    /// `STATE_LOCKED`, `STATE_UNUSABLE`, `STATE_CORRUPT`, `WORKERD_NOT_FOUND`, `WORKERD_NOT_RUNNABLE`,
    /// `WORKERD_VERSION_UNSUPPORTED`, `PLATFORM_UNSUPPORTED`, `PORT_TAKEN`, `PORT_UNUSABLE`, `INTERNAL`.
    pub async fn start(options: StartOptions) -> Result<Self, Diagnostic> {
        let search_path = std::env::var_os("PATH");
        let binary = resolve_binary(options.workerd.as_deref(), &options.app_root, search_path.as_deref())?;
        let mut state = StateDirectory::open(&options.state_directory, &options.command, (options.clock)())?;
        let tcp = bind(options.address, options.port).await?;
        let port = tcp.local_addr().map_err(|error| internal("the port", &error))?.port();
        let url = format!("http://{}", SocketAddr::new(reachable(options.address), port));
        state.set_url(&url)?;

        let (events, _) = broadcast::channel(EVENT_CAPACITY);
        let log = Arc::new(LogContext::new(events.clone()));
        let (sockets, listeners) = private_sockets().map_err(|error| internal("a socket for workerd", &error))?;

        let assets = options.assets.as_deref().map(Assets::of).transpose();
        let proxy = Arc::new(Proxy {
            assets: assets.map_err(|error| internal("the files of the client", &error))?,
            gate: Arc::new(Gate::new()),
            guard: if options.any_host {
                Guard::open(port)
            } else {
                Guard::new(port, options.allowed_hosts)
            },
            pool: Pool::new(&sockets.path().join(PUBLIC_SOCKET_FILE)),
            rules: RetryRules::new(options.add_mutation_ids),
            hold_limit: options.hold_limit,
            tunnels: TaskTracker::new(),
        });
        let process_id = Arc::new(AtomicU32::new(0));
        let (commands, queue) = mpsc::unbounded_channel();
        let parts = ActorParts {
            binary,
            state,
            spawner: Arc::new(Spawner::start().map_err(|error| internal("a thread", &error))?),
            listeners: Arc::new(listeners),
            environment: options.environment,
            proxy: Arc::clone(&proxy),
            log,
            clock: options.clock,
            drain_limit: options.drain_limit,
            start_limit: options.start_limit,
            process_id: Arc::clone(&process_id),
        };
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let connections = TaskTracker::new();
        let acceptor = tokio::spawn(accept(
            tcp,
            Arc::clone(&proxy),
            connections.clone(),
            stop.clone(),
            abort.clone(),
        ));
        let actor = tokio::spawn(run_actor(parts, queue));
        Ok(Self {
            port,
            url,
            commands,
            events,
            proxy,
            process_id,
            events_socket: EventsSocket::new(sockets.path().join(EVENTS_SOCKET_FILE)),
            stop,
            abort,
            actor: Mutex::new(Some(actor.abort_handle())),
            closing: AsyncMutex::new(Some(Closing {
                actor,
                acceptor,
                connections,
                _sockets: sockets,
            })),
        })
    }

    /// Raises events in a worker whose description [`has_events`](WorkerDescription::has_events). Stays valid across
    /// reloads and does not keep the worker alive.
    #[must_use]
    pub const fn events(&self) -> &EventsSocket {
        &self.events_socket
    }

    /// Where the app is served, for example `http://127.0.0.1:8787`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port of [`url`](Self::url).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<WorkerdEvent> {
        self.events.subscribe()
    }

    /// Number of the running workerd process.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        match self.process_id.load(Ordering::Acquire) {
            0 => None,
            id => Some(id),
        }
    }

    /// Runs the worker that `description` describes in place of the one that serves. The newest update
    /// wins; one that does not start leaves the last good worker serving.
    ///
    /// # Errors
    /// `WORKER_START_FAILED`, `WORKER_START_TIMEOUT`, `COMPATIBILITY_FLAG_UNKNOWN`,
    /// `COMPATIBILITY_DATE_INVALID`, `WORKER_DESCRIPTION_INVALID`, `WORKER_CLASS_BOUND_TWICE`,
    /// `WORKERD_NOT_RUNNABLE`, `STATE_UNUSABLE`, `WORKER_CLOSED`.
    pub async fn update(&self, description: WorkerDescription) -> Result<ReloadOutcome, Diagnostic> {
        let closed = || Diagnostic::error(codes::WORKER_CLOSED, "The worker has been closed.");
        let (reply, outcome) = oneshot::channel();
        let command = Command::Update {
            description: Box::new(description),
            reply,
        };
        self.commands.send(command).map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }

    /// While nothing serves: answers requests with `diagnostic` instead of letting them wait, or lets
    /// them wait again. A worker that serves keeps serving.
    pub fn refuse(&self, diagnostic: Option<Diagnostic>) {
        self.proxy.gate.refuse_unless_serving(diagnostic);
    }

    /// Replaces the further hosts that requests may name.
    pub fn set_allowed_hosts(&self, hosts: Vec<String>) {
        self.proxy.guard.set_allowed(hosts);
    }

    /// Takes no further connection and waits until the requests under way have been
    /// answered, for as long as `limit`. Returns whether all of them were. [`close`](Self::close) comes next.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.stop.cancel();
        let connections = match &*self.closing.lock().await {
            Some(closing) => closing.connections.clone(),
            None => return true,
        };
        connections.close();
        timeout(limit, connections.wait()).await.is_ok()
    }

    /// Ends the worker and lets go of port, state folder and sockets. May be called again; bounded by
    /// half a second.
    pub async fn close(&self) {
        // Whoever calls while another closes waits for the same end.
        let mut guard = self.closing.lock().await;
        let Some(closing) = guard.take() else { return };
        let Closing {
            mut actor,
            acceptor,
            connections,
            _sockets: sockets,
        } = closing;
        self.stop.cancel();
        // Fails only when the actor has ended already.
        drop(self.commands.send(Command::Close));
        if timeout(ACTOR_CLOSE_LIMIT, &mut actor).await.is_err() {
            // The child is killed with its handle.
            actor.abort();
            drop(actor.await);
        }
        self.proxy.tunnels.close();
        connections.close();
        let ended = async { tokio::join!(connections.wait(), self.proxy.tunnels.wait()) };
        drop(timeout(CONNECTION_CLOSE_LIMIT, ended).await);
        self.abort.cancel();
        drop(acceptor.await);
        drop(sockets);
        self.actor.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for WorkerdHandle {
    fn drop(&mut self) {
        self.proxy.gate.close();
        self.stop.cancel();
        self.abort.cancel();
        if let Some(actor) = self.actor.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Its tasks own the child, whose handle kills it.
            actor.abort();
        }
    }
}

impl fmt::Debug for WorkerdHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorkerdHandle")
            .field("url", &self.url)
            .field("process_id", &self.process_id())
            .finish_non_exhaustive()
    }
}

/// An address under which this machine reaches what listens on `address`.
const fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    }
}

/// Listening unix sockets in a folder that only this user can enter.
fn private_sockets() -> std::io::Result<(tempfile::TempDir, Listeners)> {
    let attempt = |parent: Option<&Path>| {
        let mut builder = tempfile::Builder::new();
        builder
            .prefix("lunora-")
            .permissions(std::fs::Permissions::from_mode(0o700));
        let folder = match parent {
            Some(parent) => builder.tempdir_in(parent)?,
            None => builder.tempdir()?,
        };
        let listeners = Listeners {
            public: UnixListener::bind(folder.path().join(PUBLIC_SOCKET_FILE))?,
            events: UnixListener::bind(folder.path().join(EVENTS_SOCKET_FILE))?,
        };
        Ok((folder, listeners))
    };
    // A socket's path is at most about 100 bytes, which a long TMPDIR exceeds.
    attempt(None).or_else(|_: std::io::Error| attempt(Some(Path::new("/tmp"))))
}

fn internal(what: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        codes::INTERNAL,
        format!("The development server could not get {what}: {error}."),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_enters_the_folder_of_the_sockets() {
        let (folder, _listeners) = private_sockets().unwrap();
        let mode = std::fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
