//! What a seed leads to: an endless sequence of steps, decided by nothing else.
//!
//! A step says which of the possible targets it means as a number that is taken modulo how many there are, so that the plan
//! does not depend on the app. Every step draws the same number of times, so that a change of one kind of step would not move
//! the others. What a seed gives is held by a test; whoever has noted one relies on it.

use serde::Serialize;

use super::random::Random;

/// Rest before a step, milliseconds.
const SHORTEST_REST: u64 = 500;
const LONGEST_REST: u64 = 5_000;
/// How long a region is away, milliseconds: short enough for calls that are tried again.
const REGION_AWAY: (u64, u64) = (500, 2_500);
/// How late pokes come, milliseconds, and how many do.
const LATE: (u64, u64) = (100, 2_000);
const LATE_POKES: (u64, u64) = (1, 5);
/// Frames of a poke that still arrive before it is cut.
const ARRIVING: (u64, u64) = (0, 3);

/// What is done to the app, in the form in which its worker is asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Disturbance {
    DropSocket,
    CutPoke { after_frames: u64 },
    SwapFrames,
    DelayPokes { ms: u64, count: u64 },
    TrimLog,
    Evict,
    FailRegion { ms: u64 },
}

/// How often each comes, in shares of [`SHARES`]: sockets fail all the time, objects and regions seldom.
const SHARES: u64 = 20;

impl Disturbance {
    /// `share` is below [`SHARES`]; `one` and `other` decide the parameters.
    fn of(share: u64, one: &mut Random, other: &mut Random) -> Self {
        match share {
            0..=4 => Self::DropSocket,
            5..=8 => Self::CutPoke {
                after_frames: one.between(ARRIVING.0, ARRIVING.1),
            },
            9..=11 => Self::SwapFrames,
            12..=14 => Self::DelayPokes {
                ms: one.between(LATE.0, LATE.1),
                count: other.between(LATE_POKES.0, LATE_POKES.1),
            },
            15..=16 => Self::TrimLog,
            17..=18 => Self::Evict,
            _ => Self::FailRegion {
                ms: one.between(REGION_AWAY.0, REGION_AWAY.1),
            },
        }
    }

    /// As it is called in events.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::DropSocket => "dropSocket",
            Self::CutPoke { .. } => "cutPoke",
            Self::SwapFrames => "swapFrames",
            Self::DelayPokes { .. } => "delayPokes",
            Self::TrimLog => "trimLog",
            Self::Evict => "evict",
            Self::FailRegion { .. } => "failRegion",
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    /// 1 for the first.
    pub step: u64,
    /// Rest since the step before, milliseconds.
    pub after_ms: u64,
    #[serde(flatten)]
    pub disturbance: Disturbance,
    /// Which object, modulo how many there are.
    pub object: u64,
    /// Which of its sockets, likewise.
    pub socket: u64,
}

/// The steps of a seed; never ends.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    random: Random,
    step: u64,
    /// Milliseconds for which a region that a step took away is still away when the next step rests for no time.
    away: u64,
}

impl Plan {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            step: 0,
            away: 0,
        }
    }

    fn draw(&mut self) -> Step {
        self.step += 1;
        let after_ms = self.random.between(SHORTEST_REST, LONGEST_REST);
        let share = self.random.between(0, SHARES - 1);
        let mut one = Random::new(self.random.bits());
        let mut other = Random::new(self.random.bits());
        let (object, socket) = (self.random.number(), self.random.number());
        self.away = self.away.saturating_sub(after_ms);
        // One region is away at a time.
        let share = if self.away > 0 { share % (SHARES - 1) } else { share };
        let disturbance = Disturbance::of(share, &mut one, &mut other);
        if let Disturbance::FailRegion { ms } = disturbance {
            self.away = ms;
        }
        Step {
            step: self.step,
            after_ms,
            disturbance,
            object,
            socket,
        }
    }
}

impl Iterator for Plan {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        Some(self.draw())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What 42 leads to, for ever.
    const OF_42: &str = r#"{"step":1,"afterMs":3837,"fault":"dropSocket","object":163338330,"socket":3729011194}
{"step":2,"afterMs":1483,"fault":"trimLog","object":880046666,"socket":2117372430}
{"step":3,"afterMs":2810,"fault":"swapFrames","object":444847954,"socket":2128150531}
{"step":4,"afterMs":920,"fault":"delayPokes","ms":1138,"count":1,"object":2576191409,"socket":2662102484}
{"step":5,"afterMs":833,"fault":"cutPoke","afterFrames":1,"object":4045547057,"socket":2981469979}
{"step":6,"afterMs":4055,"fault":"trimLog","object":2738166911,"socket":1632185792}
{"step":7,"afterMs":783,"fault":"cutPoke","afterFrames":1,"object":2277424167,"socket":683135636}
{"step":8,"afterMs":1729,"fault":"trimLog","object":362846470,"socket":612040999}
{"step":9,"afterMs":2772,"fault":"failRegion","ms":1351,"object":662810545,"socket":1375041772}
{"step":10,"afterMs":617,"fault":"trimLog","object":3758696108,"socket":138556854}
{"step":11,"afterMs":1666,"fault":"failRegion","ms":1424,"object":1395676395,"socket":2676473906}
{"step":12,"afterMs":4941,"fault":"cutPoke","afterFrames":2,"object":3852305508,"socket":2890092310}
{"step":13,"afterMs":1237,"fault":"trimLog","object":425093231,"socket":3480260906}
{"step":14,"afterMs":1929,"fault":"swapFrames","object":1064322273,"socket":1501741837}
{"step":15,"afterMs":3839,"fault":"dropSocket","object":3651150227,"socket":3078061227}
{"step":16,"afterMs":3908,"fault":"swapFrames","object":2981644253,"socket":222168695}"#;

    #[test]
    fn a_seed_gives_the_same_plan_for_ever() {
        let steps = Plan::new(42).take(16).map(|step| serde_json::to_string(&step).unwrap());
        assert_eq!(steps.collect::<Vec<_>>().join("\n"), OF_42);
    }

    #[test]
    fn seeds_differ_and_the_largest_is_one() {
        let largest = (1 << 53) - 1;
        let plans: Vec<Vec<Step>> = [0, 1, 2, largest].map(|seed| Plan::new(seed).take(5).collect()).into();
        for (at, plan) in plans.iter().enumerate() {
            assert!(!plans[..at].contains(plan));
        }
    }

    #[test]
    fn it_is_gentle_whatever_the_seed() {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for seed in 0..500 {
            let mut back_at = 0;
            let mut now = 0;
            for (at, step) in Plan::new(seed).take(200).enumerate() {
                assert_eq!(step.step, at as u64 + 1);
                assert!((500..=5_000).contains(&step.after_ms), "{step:?}");
                now += step.after_ms;
                *counts.entry(step.disturbance.name()).or_default() += 1;
                match step.disturbance {
                    Disturbance::FailRegion { ms } => {
                        assert!(now >= back_at, "two regions at once: {step:?} of {seed}");
                        assert!((500..=2_500).contains(&ms));
                        back_at = now + ms;
                    }
                    Disturbance::DelayPokes { ms, count } => {
                        assert!((100..=2_000).contains(&ms) && (1..=5).contains(&count));
                    }
                    Disturbance::CutPoke { after_frames } => assert!(after_frames <= 3),
                    _ => {}
                }
            }
        }
        assert_eq!(counts.len(), 7, "{counts:?}");
        assert!(counts.values().all(|count| *count > 3_000), "{counts:?}");
    }
}
