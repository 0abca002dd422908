//! The thread that forks.
//!
//! Linux ties the parent-death signal to the *thread* that forked, so processes come from a thread
//! that lives exactly as long as the supervisor; one of a pool would take workerd with it when idle.

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::config::EVENTS_SOCKET;

/// Where workerd finds the pipe it reports readiness on, and its listening socket.
const CONTROL_FD: RawFd = 3;
const SOCKET_FD: RawFd = 4;
const EVENTS_FD: RawFd = 5;
/// Duplicates go here first, so that neither target is overwritten before it is copied.
const SCRATCH_FD: RawFd = 10;

/// The sockets of workerd, which listen already; shared by one process after the other.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Requests of clients.
    pub public: UnixListener,
    /// Events that only this process raises.
    pub events: UnixListener,
}

/// How to start workerd; what it is to run follows on its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub binary: PathBuf,
    pub experimental: bool,
    pub verbose: bool,
    /// It gets the socket for events.
    pub has_events: bool,
    pub environment: Vec<(OsString, OsString)>,
    pub working_directory: PathBuf,
}

/// What to spawn.
#[derive(Debug)]
pub(crate) struct SpawnRequest {
    pub launch: Launch,
    pub listeners: Arc<Listeners>,
    /// Write end; closed in this process once the child has it.
    pub control: OwnedFd,
}

type Job = (SpawnRequest, oneshot::Sender<io::Result<Child>>);

/// Spawns on a thread of its own. Dropping it ends the thread, and with it any process left.
#[derive(Debug)]
pub(crate) struct Spawner {
    jobs: mpsc::Sender<Job>,
}

impl Spawner {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("lunora-spawner".to_owned())
            .spawn(move || {
                // Child handles register with the runtime's reactor.
                let _context = runtime.enter();
                for (request, reply) in queue {
                    // Nobody waiting means that the supervisor is gone; the child dies with its handle.
                    drop(reply.send(spawn(request)));
                }
            })?;
        Ok(Self { jobs })
    }

    pub(crate) async fn spawn(&self, request: SpawnRequest) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the spawning thread has ended");
        self.jobs.send((request, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn spawn(request: SpawnRequest) -> io::Result<Child> {
    let launch = request.launch;
    let mut command = Command::new(&launch.binary);
    command
        .args(["serve", "--binary", "-", "--control-fd=3", "--socket-fd=http=4"].map(OsStr::new))
        .args(
            launch
                .has_events
                .then(|| format!("--socket-fd={EVENTS_SOCKET}={EVENTS_FD}")),
        )
        .args(launch.experimental.then_some("--experimental"))
        .args(launch.verbose.then_some("--verbose"))
        .current_dir(&launch.working_directory)
        .env_clear()
        .env("TZ", "UTC")
        .envs(launch.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A terminal's Ctrl-C is for us: we close the sockets before the process ends.
        .process_group(0)
        .kill_on_drop(true);
    let prepare = prepare_child(request.control, request.listeners, launch.has_events);
    // SAFETY: between fork and exec only async-signal-safe calls may be made; `prepare_child` makes
    // dup, dup2, fcntl, prctl and getppid and allocates nothing.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(prepare);
    }
    command.spawn()
}

/// What the child does before it becomes workerd.
fn prepare_child(
    control: OwnedFd,
    listeners: Arc<Listeners>,
    has_events: bool,
) -> impl FnMut() -> io::Result<()> + Send + Sync {
    #[cfg(target_os = "linux")]
    let parent = rustix::process::getpid();
    move || {
        let control = rustix::io::fcntl_dupfd_cloexec(&control, SCRATCH_FD)?;
        let public = rustix::io::fcntl_dupfd_cloexec(&listeners.public, SCRATCH_FD)?;
        let events = rustix::io::fcntl_dupfd_cloexec(&listeners.events, SCRATCH_FD)?;
        place(&control, CONTROL_FD)?;
        place(&public, SOCKET_FD)?;
        if has_events {
            place(&events, EVENTS_FD)?;
        }
        #[cfg(target_os = "linux")]
        {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            // The parent may have died before the signal was armed.
            if rustix::process::getppid() != Some(parent) {
                return Err(rustix::io::Errno::SRCH.into());
            }
        }
        Ok(())
    }
}

/// Makes `number` a copy of `fd` that survives exec.
fn place(fd: impl AsFd, number: RawFd) -> io::Result<()> {
    // SAFETY: the number is only a target for dup2, which closes what it held; it is never closed
    // through this value.
    #[allow(unsafe_code)]
    let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
    Ok(rustix::io::dup2(fd, &mut target)?)
}
