//! A workerd that has been started and waits for its configuration.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin};

use crate::supervisor::spawner::{Launch, Listeners, SpawnRequest, Spawner};

/// Room in the pipe that carries the configuration: most fit into it, and then nobody has to be woken in between.
#[cfg(target_os = "linux")]
const CONFIG_PIPE: usize = 1 << 20;

/// A process that knows neither the worker nor where its data lies until it has read its whole configuration.
#[derive(Debug)]
pub(crate) struct WaitingProcess {
    pub child: Child,
    /// Readiness messages.
    pub control: BufReader<pipe::Receiver>,
    pub stdin: Option<ChildStdin>,
    /// How many bytes of the configuration it has been given.
    pub sent: usize,
    #[cfg(not(target_os = "linux"))]
    pub watchdog: Option<crate::supervisor::watchdog::Watchdog>,
}

impl WaitingProcess {
    pub(crate) async fn spawn(spawner: &Spawner, launch: Launch, listeners: Arc<Listeners>) -> io::Result<Self> {
        let (read_end, write_end) = control_pipe()?;
        let mut child = spawner
            .spawn(SpawnRequest {
                launch,
                listeners,
                control: write_end,
            })
            .await?;
        let stdin = child.stdin.take();
        #[cfg(target_os = "linux")]
        if let Some(stdin) = &stdin {
            // Refused where pipes are rationed; the usual size works too.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, CONFIG_PIPE);
        }
        #[cfg(not(target_os = "linux"))]
        let watchdog = child
            .id()
            .map(crate::supervisor::watchdog::Watchdog::start)
            .transpose()?;
        Ok(Self {
            child,
            control: BufReader::new(pipe::Receiver::from_owned_fd(read_end)?),
            stdin,
            sent: 0,
            #[cfg(not(target_os = "linux"))]
            watchdog,
        })
    }

    /// Whether it can still be given a configuration.
    pub(crate) fn waits(&mut self) -> bool {
        self.stdin.is_some() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends all of `config` but its last byte: until that comes, workerd does not look at the rest.
    pub(crate) async fn send_all_but_the_end(&mut self, config: &Bytes) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let end = config.len().saturating_sub(1).max(self.sent);
        stdin.write_all(&config[self.sent..end]).await?;
        self.sent = end;
        Ok(())
    }
}

/// A pipe whose ends no other child inherits.
fn control_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let ends = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    #[cfg(not(target_os = "linux"))]
    let ends = {
        let ends = rustix::pipe::pipe()?;
        rustix::io::fcntl_setfd(&ends.0, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::fcntl_setfd(&ends.1, rustix::io::FdFlags::CLOEXEC)?;
        ends
    };
    Ok(ends)
}
