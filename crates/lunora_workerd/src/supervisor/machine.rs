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
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_update_starts_and_serves() {
        let mut machine = Machine::new();
        assert_eq!(
            machine.handle(Event::Update(1)),
            [
                Effect::Hold,
                Effect::Spawn {
                    process: 1,
                    generation: 1
                }
            ]
        );
        assert_eq!(
            machine.handle(Event::Ready(1)),
            [Effect::Serve(1), Effect::Settle(1, Settlement::Serving)]
        );
    }

    #[test]
    fn reload_drains_kills_waits_for_the_end_and_spawns() {
        let mut machine = serving();
        assert_eq!(machine.handle(Event::Update(2)), [Effect::Hold, Effect::Drain]);
        assert_eq!(machine.handle(Event::Drained), [Effect::Kill(1)]);
        assert_eq!(
            machine.handle(Event::Exited {
                process: 1,
                steady: false
            }),
            [Effect::Spawn {
                process: 2,
                generation: 2
            }]
        );
    }

    #[test]
    fn a_newer_update_takes_the_place_of_one_that_is_starting() {
        let mut machine = Machine::new();
        machine.handle(Event::Update(1));
        assert_eq!(
            machine.handle(Event::Update(2)),
            [Effect::Settle(1, Settlement::Superseded), Effect::Kill(1)]
        );
        assert_eq!(machine.handle(Event::Ready(1)), []);
        assert_eq!(
            machine.handle(Event::Exited {
                process: 1,
                steady: false
            }),
            [Effect::Spawn {
                process: 2,
                generation: 2
            }]
        );
    }

    #[test]
    fn a_broken_update_brings_the_last_good_back() {
        let mut machine = serving();
        machine.handle(Event::Update(2));
        machine.handle(Event::Drained);
        machine.handle(Event::Exited {
            process: 1,
            steady: true,
        });
        assert_eq!(
            machine.handle(Event::StartFailed(2)),
            [
                Effect::Settle(2, Settlement::Failed),
                Effect::Spawn {
                    process: 3,
                    generation: 1
                }
            ]
        );
        assert_eq!(machine.handle(Event::Ready(3)), [Effect::Serve(1)]);
    }

    #[test]
    fn a_broken_first_update_leaves_nothing_to_serve() {
        let mut machine = Machine::new();
        machine.handle(Event::Update(1));
        assert_eq!(
            machine.handle(Event::StartFailed(1)),
            [Effect::Settle(1, Settlement::Failed), Effect::Refuse]
        );
    }

    #[test]
    fn crashes_in_a_row_are_paced_and_a_steady_run_forgives() {
        let mut machine = serving();
        let mut process = 1;
        let mut crash = |machine: &mut Machine, steady: bool| {
            let effects = machine.handle(Event::Exited { process, steady });
            let Some(Effect::Pause(delay)) = effects.last().copied() else {
                panic!("{effects:?}")
            };
            machine.handle(Event::PauseOver);
            process += 1;
            machine.handle(Event::Ready(process));
            delay.as_millis()
        };
        let delays: Vec<u128> = [false, false, false, false, true, false]
            .map(|steady| crash(&mut machine, steady))
            .into();
        assert_eq!(delays, [10, 100, 1000, 1000, 10, 100]);
    }

    #[test]
    fn close_settles_what_is_open_and_ends_the_process() {
        let mut machine = serving();
        machine.handle(Event::Update(2));
        assert_eq!(
            machine.handle(Event::Close),
            [Effect::Settle(2, Settlement::Closed), Effect::Terminate(1)]
        );
        assert_eq!(machine.handle(Event::Close), []);
        assert_eq!(
            machine.handle(Event::Update(3)),
            [Effect::Settle(3, Settlement::Closed)]
        );
        assert_eq!(
            machine.handle(Event::Exited {
                process: 1,
                steady: true
            }),
            []
        );
    }

    fn serving() -> Machine {
        let mut machine = Machine::new();
        machine.handle(Event::Update(1));
        machine.handle(Event::Ready(1));
        machine
    }

    /// A world around the machine: processes that live and die, some generations that cannot start.
    #[derive(Default)]
    struct World {
        alive: Option<(ProcessNumber, Generation, bool)>,
        draining: bool,
        pausing: bool,
        served: Option<Generation>,
        settled: BTreeMap<Generation, Settlement>,
        broken: BTreeSet<Generation>,
    }

    impl World {
        fn apply(&mut self, effects: Vec<Effect>) {
            for effect in effects {
                match effect {
                    Effect::Spawn { process, generation } => {
                        assert_eq!(self.alive, None, "two processes on one folder");
                        self.alive = Some((process, generation, false));
                        self.pausing = false;
                    }
                    Effect::Kill(process) | Effect::Terminate(process) => {
                        if let Some((number, _, dying)) = &mut self.alive {
                            assert_eq!(*number, process);
                            *dying = true;
                        }
                    }
                    Effect::Settle(generation, settlement) => {
                        let before = self.settled.insert(generation, settlement);
                        assert_eq!(before, None, "generation {generation} was settled twice");
                    }
                    Effect::Serve(generation) => self.served = Some(generation),
                    Effect::Hold | Effect::Refuse => self.served = None,
                    Effect::Drain => self.draining = true,
                    Effect::Pause(_) => self.pausing = true,
                }
            }
        }

        /// Lets one thing happen that is due; `false` when nothing is.
        fn step(&mut self, machine: &mut Machine, ready: &mut BTreeSet<ProcessNumber>) -> bool {
            let event = if let Some((process, generation, dying)) = self.alive {
                if dying || (self.broken.contains(&generation) && !ready.contains(&process)) {
                    self.alive = None;
                    if ready.contains(&process) {
                        Event::Exited { process, steady: false }
                    } else {
                        Event::StartFailed(process)
                    }
                } else if ready.insert(process) {
                    Event::Ready(process)
                } else if std::mem::take(&mut self.draining) {
                    Event::Drained
                } else {
                    return false;
                }
            } else if std::mem::take(&mut self.pausing) {
                Event::PauseOver
            } else {
                return false;
            };
            self.apply(machine.handle(event));
            true
        }
    }

    #[derive(Debug, Clone)]
    enum Action {
        Update { broken: bool },
        Step,
        Crash,
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            2 => any::<bool>().prop_map(|broken| Action::Update { broken }),
            4 => Just(Action::Step),
            1 => Just(Action::Crash),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn whatever_happens_the_newest_that_starts_serves(actions in prop::collection::vec(action(), 1..60)) {
            let mut machine = Machine::new();
            let mut world = World::default();
            let mut ready = BTreeSet::new();
            let mut generations = 0;
            for action in actions {
                match action {
                    Action::Update { broken } => {
                        generations += 1;
                        if broken {
                            world.broken.insert(generations);
                        }
                        world.apply(machine.handle(Event::Update(generations)));
                    }
                    Action::Step => {
                        world.step(&mut machine, &mut ready);
                    }
                    Action::Crash => {
                        if let Some((process, ..)) = world.alive.take() {
                            world.draining = false;
                            let event = if ready.contains(&process) {
                                Event::Exited { process, steady: false }
                            } else {
                                Event::StartFailed(process)
                            };
                            world.apply(machine.handle(event));
                        }
                    }
                }
            }
            let mut steps = 0;
            while world.step(&mut machine, &mut ready) {
                steps += 1;
                prop_assert!(steps < 1_000, "never settles: {machine:?}");
            }
            prop_assert_eq!(world.settled.len() as u64, generations, "an update was never settled");
            let newest_good = world.settled.iter().rev().find(|(_, how)| **how == Settlement::Serving);
            prop_assert_eq!(world.served, newest_good.map(|(generation, _)| *generation));
            // Only the very last update may be lost to a failure of its own.
            if generations > 0 && !world.broken.contains(&generations) && world.settled[&generations] != Settlement::Failed {
                prop_assert_eq!(world.served, Some(generations));
            }
        }

        #[test]
        fn closing_at_any_moment_leaves_nothing_unsettled(actions in prop::collection::vec(action(), 0..30)) {
            let mut machine = Machine::new();
            let mut world = World::default();
            let mut ready = BTreeSet::new();
            let mut generations = 0;
            for action in actions {
                match action {
                    Action::Update { .. } => {
                        generations += 1;
                        world.apply(machine.handle(Event::Update(generations)));
                    }
                    _ => {
                        world.step(&mut machine, &mut ready);
                    }
                }
            }
            world.apply(machine.handle(Event::Close));
            while world.step(&mut machine, &mut ready) {}
            prop_assert_eq!(world.alive, None);
            prop_assert_eq!(world.settled.len() as u64, generations);
        }
    }
}
