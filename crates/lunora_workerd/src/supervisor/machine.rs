//! Which process is to run, as a function from state and event to state and effects.
//!
//! Invariants, held by the tests below: at most one process runs a worker; the next is let run only after
//! the one before it has ended; every update is settled exactly once; once nothing more happens the
//! newest update that can start serves.

use std::time::Duration;

/// Counts accepted updates.
pub(crate) type Generation = u64;
/// Counts spawned processes; a generation may be started more than once.
pub(crate) type ProcessNumber = u64;

/// Pauses before a process that ended by itself is started again; the last repeats.
const RESTART_DELAYS: [Duration; 3] = [
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
];

/// What there is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No process, and nothing that could be started.
    Empty,
    /// Spawned, not listening yet. `candidate`: someone waits for the outcome; else a fall-back.
    Starting {
        process: ProcessNumber,
        generation: Generation,
        candidate: bool,
    },
    Serving {
        process: ProcessNumber,
        generation: Generation,
    },
    /// Serves what is in flight, to be killed.
    Draining {
        process: ProcessNumber,
    },
    /// Told to end; the next one is spawned when it has.
    Killing {
        process: ProcessNumber,
    },
    /// Pausing before the last good generation is started again.
    Pausing,
    Closed,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A newer description is there.
    Update(Generation),
    /// Nothing is in flight any more, or waiting for it took too long.
    Drained,
    /// The process listens.
    Ready(ProcessNumber),
    /// The process ended before it listened, or could not be spawned.
    StartFailed(ProcessNumber),
    /// The process ended after it had listened. `steady`: it had run for long.
    Exited { process: ProcessNumber, steady: bool },
    /// The pause asked for last is over.
    PauseOver,
    /// The end.
    Close,
}

/// How an update came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Serving,
    Failed,
    Superseded,
    Closed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Let requests wait.
    Hold,
    /// Report `Drained` when nothing is in flight, or after a bounded time.
    Drain,
    /// Kill at once; its end is reported.
    Kill(ProcessNumber),
    /// End politely, then by force.
    Terminate(ProcessNumber),
    /// Let a process run this generation.
    Spawn {
        process: ProcessNumber,
        generation: Generation,
    },
    /// Let requests through to the process that just became ready.
    Serve(Generation),
    /// Nothing can serve: answer requests with the failure.
    Refuse,
    /// Report `PauseOver` after this time, unless a later pause was asked for.
    Pause(Duration),
    Settle(Generation, Settlement),
}

/// The state.
#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    /// Asked for and not spawned yet.
    next: Option<Generation>,
    /// The last generation that listened.
    good: Option<Generation>,
    /// Ends in a row without a steady run.
    failures: usize,
    processes: ProcessNumber,
}

impl Machine {
    pub(crate) const fn new() -> Self {
        Self {
            phase: Phase::Empty,
            next: None,
            good: None,
            failures: 0,
            processes: 0,
        }
    }

    /// The generation that serves now.
    pub(crate) const fn serving(&self) -> Option<Generation> {
        match self.phase {
            Phase::Serving { generation, .. } => Some(generation),
            _ => None,
        }
    }

    /// What will run when the process that ends now has ended.
    pub(crate) const fn next(&self) -> Option<Generation> {
        self.next
    }

    /// The update whose outcome is awaited.
    pub(crate) const fn pending(&self) -> Option<Generation> {
        match (self.next, self.phase) {
            (Some(generation), _) => Some(generation),
            (
                None,
                Phase::Starting {
                    generation,
                    candidate: true,
                    ..
                },
            ) => Some(generation),
            _ => None,
        }
    }

    /// Whether `process` is being started though no update asked for it.
    pub(crate) fn is_restarting(&self, number: ProcessNumber) -> bool {
        matches!(self.phase, Phase::Starting { process, candidate: false, .. } if process == number)
    }

    /// Whether `generation` may still be started.
    pub(crate) fn needs(&self, generation: Generation) -> bool {
        let starting = matches!(self.phase, Phase::Starting { generation: started, .. } if started == generation);
        starting || self.next == Some(generation) || self.good == Some(generation)
    }

    /// Goes on to the next state.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (event, self.phase) {
            (Event::Update(generation), Phase::Closed) => {
                effects.push(Effect::Settle(generation, Settlement::Closed));
            }
            (Event::Update(generation), phase) => self.update(generation, phase, &mut effects),

            (Event::Drained, Phase::Draining { process }) => {
                self.phase = Phase::Killing { process };
                effects.push(Effect::Kill(process));
            }

            (
                Event::Ready(ready),
                Phase::Starting {
                    process,
                    generation,
                    candidate,
                },
            ) if ready == process => {
                self.phase = Phase::Serving { process, generation };
                self.good = Some(generation);
                effects.push(Effect::Serve(generation));
                if candidate {
                    self.failures = 0;
                    effects.push(Effect::Settle(generation, Settlement::Serving));
                }
            }

            (
                Event::StartFailed(failed),
                Phase::Starting {
                    process,
                    generation,
                    candidate,
                },
            ) if failed == process => {
                if candidate {
                    effects.push(Effect::Settle(generation, Settlement::Failed));
                    self.spawn(&mut effects);
                } else {
                    self.pause(&mut effects);
                }
            }

            (Event::Exited { process: ended, steady }, Phase::Serving { process, .. }) if ended == process => {
                if steady {
                    self.failures = 0;
                }
                effects.push(Effect::Hold);
                self.pause(&mut effects);
            }
            (
                Event::Exited { process: ended, .. } | Event::StartFailed(ended),
                Phase::Draining { process } | Phase::Killing { process },
            ) if ended == process => self.spawn(&mut effects),

            (Event::PauseOver, Phase::Pausing) => self.spawn(&mut effects),

            (Event::Close, phase) if phase != Phase::Closed => self.close(phase, &mut effects),

            // Late news of a process or a pause that no longer matters.
            _ => {}
        }
        effects
    }

    fn update(&mut self, generation: Generation, phase: Phase, effects: &mut Vec<Effect>) {
        if let Some(older) = self.next.replace(generation) {
            effects.push(Effect::Settle(older, Settlement::Superseded));
        }
        match phase {
            Phase::Empty | Phase::Pausing => {
                effects.push(Effect::Hold);
                self.spawn(effects);
            }
            Phase::Starting {
                process,
                generation: older,
                candidate,
            } => {
                if candidate {
                    effects.push(Effect::Settle(older, Settlement::Superseded));
                }
                self.phase = Phase::Killing { process };
                effects.push(Effect::Kill(process));
            }
            Phase::Serving { process, .. } => {
                self.phase = Phase::Draining { process };
                effects.extend([Effect::Hold, Effect::Drain]);
            }
            Phase::Draining { .. } | Phase::Killing { .. } | Phase::Closed => {}
        }
    }

    /// No process exists: starts what is wanted, else what was good.
    fn spawn(&mut self, effects: &mut Vec<Effect>) {
        let candidate = self.next.is_some();
        let Some(generation) = self.next.take().or(self.good) else {
            self.phase = Phase::Empty;
            effects.push(Effect::Refuse);
            return;
        };
        self.processes += 1;
        let process = self.processes;
        self.phase = Phase::Starting {
            process,
            generation,
            candidate,
        };
        effects.push(Effect::Spawn { process, generation });
    }

    fn pause(&mut self, effects: &mut Vec<Effect>) {
        let delay = RESTART_DELAYS[self.failures.min(RESTART_DELAYS.len() - 1)];
        self.failures += 1;
        self.phase = Phase::Pausing;
        effects.push(Effect::Pause(delay));
    }

    fn close(&mut self, phase: Phase, effects: &mut Vec<Effect>) {
        if let Some(generation) = self.next.take() {
            effects.push(Effect::Settle(generation, Settlement::Closed));
        }
        match phase {
            Phase::Starting {
                process,
                generation,
                candidate,
            } => {
                if candidate {
                    effects.push(Effect::Settle(generation, Settlement::Closed));
                }
                effects.push(Effect::Terminate(process));
            }
            Phase::Serving { process, .. } | Phase::Draining { process } | Phase::Killing { process } => {
                effects.push(Effect::Terminate(process));
            }
            Phase::Empty | Phase::Pausing | Phase::Closed => {}
        }
        self.phase = Phase::Closed;
    }
}

#[cfg(test)]
mod tests;
