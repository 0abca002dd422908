//! The process that will run the next worker, started before it is needed.
//!
//! Starting a program of 100 MB, linking it and setting up its allocator takes a third of the time to the first
//! answer, and none of it depends on the worker. A spare has all of that behind it and reads its standard input.
//! It cannot touch the data of the worker that serves: where that lies is said in the configuration, whose last
//! byte it is given only when the process before it has ended.

use std::io;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use crate::config_message::ConfigMessage;
use crate::supervisor::machine::Generation;
use crate::supervisor::spawner::{Launch, Listeners, Spawner};
use crate::supervisor::waiting_process::WaitingProcess;

/// Dropping it kills the process.
pub(crate) struct Spare {
    launch: Launch,
    /// Whose configuration is on its way to it; it is of no use for another.
    meant_for: Option<Generation>,
    process: AbortOnDropHandle<io::Result<WaitingProcess>>,
}

impl Spare {
    pub(crate) fn start(spawner: Arc<Spawner>, launch: Launch, listeners: Arc<Listeners>) -> Self {
        let same = launch.clone();
        let process = tokio::spawn(async move { WaitingProcess::spawn(&spawner, same, listeners).await });
        Self {
            launch,
            meant_for: None,
            process: AbortOnDropHandle::new(process),
        }
    }

    /// Whether it can run `generation`, which is to be launched so.
    pub(crate) fn fits(&self, launch: &Launch, generation: Generation) -> bool {
        self.launch == *launch && self.meant_for.is_none_or(|meant| meant == generation)
    }

    /// Sends the configuration ahead, all but its end.
    pub(crate) fn prepare(self, generation: Generation, config: Arc<ConfigMessage>) -> Self {
        if self.meant_for.is_some() {
            return self;
        }
        let earlier = self.process;
        let process = tokio::spawn(async move {
            let mut process = finished(earlier).await?;
            process.send_all_but_the_end(config.bytes()).await?;
            Ok(process)
        });
        Self {
            launch: self.launch,
            meant_for: Some(generation),
            process: AbortOnDropHandle::new(process),
        }
    }

    /// The process; `None` when it did not start or has ended, so that another has to be started, which will say why.
    pub(crate) async fn into_process(self) -> Option<WaitingProcess> {
        let mut process = finished(self.process).await.ok()?;
        process.waits().then_some(process)
    }

    /// Returns when it has ended.
    pub(crate) async fn end(self) {
        if let Ok(mut process) = finished(self.process).await {
            // Fails only when it has ended already.
            drop(process.child.kill().await);
        }
    }
}

async fn finished(process: AbortOnDropHandle<io::Result<WaitingProcess>>) -> io::Result<WaitingProcess> {
    process.await.map_err(io::Error::other)?
}
