//! Where the kernel has no parent-death signal: a shell that reads a pipe which only we hold open,
//! and kills the process when the pipe ends.

use std::process::Stdio;

use tokio::process::{Child, Command};

/// Holds the pipe. Dropped (or lost with us), the process named to [`start`](Self::start) is killed,
/// unless [`dismiss`](Self::dismiss) came first.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    pub(crate) fn start(process_id: u32) -> std::io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", "read _; kill -9 \"$1\"", "sh", &process_id.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// The process has ended: its number may soon be another's.
    pub(crate) async fn dismiss(mut self) {
        // Fails only when the shell has ended already.
        drop(self.shell.kill().await);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("/bin/sleep").arg("60").kill_on_drop(true).spawn().unwrap()
    }

    #[tokio::test]
    async fn losing_the_watchdog_kills_the_process() {
        let mut child = sleeper();
        let watchdog = Watchdog::start(child.id().unwrap()).unwrap();
        drop(watchdog);
        assert!(!child.wait().await.unwrap().success());
    }

    #[tokio::test]
    async fn a_dismissed_watchdog_kills_nobody() {
        let mut child = sleeper();
        Watchdog::start(child.id().unwrap()).unwrap().dismiss().await;
        assert!(child.try_wait().unwrap().is_none());
    }
}
