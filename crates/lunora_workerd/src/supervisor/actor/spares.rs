//! Processes that are started before they are needed.

use std::sync::Arc;

use super::{Actor, Entry};
use crate::supervisor::spare::Spare;
use crate::supervisor::spawner::Launch;

impl Actor {
    /// While the process before still serves or ends: has one ready that lacks only the end of its configuration.
    pub(super) fn prepare_spare(&mut self) {
        let Some(generation) = self.machine.next() else { return };
        let Some(entry) = self.entries.get(&generation) else {
            return;
        };
        let launch = self.launch(entry);
        let config = Arc::clone(&entry.config);
        let spare = self
            .spare
            .take()
            .filter(|spare| spare.fits(&launch, generation))
            .unwrap_or_else(|| self.start_spare(launch));
        self.spare = Some(spare.prepare(generation, config));
    }

    fn start_spare(&self, launch: Launch) -> Spare {
        Spare::start(
            Arc::clone(&self.parts.spawner),
            launch,
            Arc::clone(&self.parts.listeners),
        )
    }

    /// Keeps a spare for the next update, which will most likely be launched as the worker that serves.
    pub(super) fn keep_spare(&mut self) {
        let serving = self
            .machine
            .serving()
            .and_then(|generation| self.entries.get(&generation));
        if let (Some(entry), None) = (serving, &self.spare) {
            self.spare = Some(self.start_spare(self.launch(entry)));
        }
    }

    pub(super) fn launch(&self, entry: &Entry) -> Launch {
        Launch {
            binary: self.parts.binary.path.clone(),
            experimental: entry.description.experimental || entry.description.has_events,
            has_events: entry.description.has_events,
            verbose: entry.description.stack_traces,
            environment: self
                .parts
                .environment
                .iter()
                .chain(&entry.environment)
                .cloned()
                .collect(),
            working_directory: self.parts.state.path().to_path_buf(),
        }
    }
}
