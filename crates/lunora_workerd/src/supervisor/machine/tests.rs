//! Held by examples and by any order of events.
#![allow(clippy::unwrap_used, clippy::panic)]

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
