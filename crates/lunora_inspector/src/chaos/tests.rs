//! The player on a stage of its own, whose time passes only in its rests.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::plan::Plan;
use super::player::{KnownObject, Stage, Trouble, play};

/// What an app is at a moment of the stage's time.
type At<T> = Box<dyn Fn(u64) -> T + Send + Sync>;

struct Acted {
    now: AtomicU64,
    serving: At<bool>,
    objects: At<Vec<(&'static str, bool)>>,
    sockets: At<BTreeMap<&'static str, Vec<&'static str>>>,
    refusal: At<Option<Trouble>>,
    /// Whether the worker does what it is asked for and its answer does not arrive.
    loses: At<bool>,
    /// Of what the worker was asked for and took, and what was told, with the time.
    happened: Mutex<Vec<(u64, Value)>>,
}

fn acted() -> Acted {
    Acted {
        now: AtomicU64::new(0),
        serving: Box::new(|_| true),
        objects: Box::new(|_| vec![("a", true), ("b", true), ("c", false)]),
        sockets: Box::new(|_| BTreeMap::from([("a", vec!["a1", "a2"]), ("b", vec!["b1"])])),
        refusal: Box::new(|_| None),
        loses: Box::new(|_| false),
        happened: Mutex::default(),
    }
}

fn refusal(passes: bool) -> Option<Trouble> {
    Some(Trouble {
        code: "SOME_CODE".to_owned(),
        message: "said why".to_owned(),
        passes,
    })
}

impl Acted {
    fn note(&self, value: Value) {
        self.happened.lock().unwrap().push((self.now(), value));
    }

    /// Plays until so many steps have begun.
    async fn until(self, seed: u64, steps: u64) -> Vec<(u64, Value)> {
        let reached = AtomicU64::new(0);
        let ended = async {
            while reached.load(Ordering::Relaxed) <= steps {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = ended => {}
            () = play(&self, seed, |step| reached.store(step, Ordering::Relaxed)) => {}
        }
        let mut happened = self.happened.into_inner().unwrap();
        happened.retain(|(_, event)| step_of(event) <= steps);
        happened
    }
}

fn step_of(event: &Value) -> u64 {
    event["by"]["step"].as_u64().or(event["step"].as_u64()).unwrap()
}

impl Stage for Acted {
    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    async fn rest(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }

    fn is_serving(&self) -> bool {
        (self.serving)(self.now())
    }

    fn objects(&self) -> Vec<KnownObject> {
        let objects = (self.objects)(self.now()).into_iter();
        objects
            .map(|(name, has_clients)| KnownObject {
                name: name.to_owned(),
                has_clients,
            })
            .collect()
    }

    fn region(&self) -> Option<String> {
        Some("eu".to_owned())
    }

    async fn sockets(&self, object: &str) -> Result<Vec<String>, Trouble> {
        let sockets = (self.sockets)(self.now());
        let of = sockets.get(object).into_iter().flatten();
        Ok(of.map(|socket| (*socket).to_owned()).collect())
    }

    async fn disturb(&self, argument: &Value) -> Result<(), Trouble> {
        match (self.refusal)(self.now()) {
            Some(trouble) => Err(trouble),
            None => {
                self.note(argument.clone());
                match (self.loses)(self.now()) {
                    true => Err(refusal(true).unwrap()),
                    false => Ok(()),
                }
            }
        }
    }

    fn next_event(&self) -> u64 {
        self.happened.lock().unwrap().len() as u64
    }

    fn was_told(&self, since: u64, seed: u64, step: u64) -> bool {
        let happened = self.happened.lock().unwrap();
        let since = usize::try_from(since).unwrap();
        happened[since..]
            .iter()
            .any(|(_, event)| event["by"]["seed"] == seed && step_of(event) == step)
    }

    fn tell(&self, event: Map<String, Value>) {
        self.note(Value::Object(event));
    }
}

#[tokio::test]
async fn every_step_of_the_plan_is_asked_for_at_its_time_with_its_target() {
    let happened = acted().until(42, 60).await;
    let mut now = 0;
    assert_eq!(happened.len(), 60);
    for (step, (at, asked)) in Plan::new(42).zip(&happened) {
        now += step.after_ms;
        assert_eq!(*at, now);
        assert_eq!(asked["by"], json!({ "kind": "chaos", "seed": 42, "step": step.step }));
        let mut expected = serde_json::to_value(&step.disturbance).unwrap();
        expected["by"] = asked["by"].clone();
        let pick = |number: u64, of: &[&str]| of[usize::try_from(number).unwrap() % of.len()].to_owned();
        match step.disturbance.name() {
            "failRegion" => expected["region"] = "eu".into(),
            "evict" | "trimLog" => expected["object"] = pick(step.object, &["a", "b", "c"]).into(),
            "delayPokes" => expected["object"] = pick(step.object, &["a", "b"]).into(),
            _ => {
                let object = pick(step.object, &["a", "b"]);
                let sockets: &[&str] = if object == "a" { &["a1", "a2"] } else { &["b1"] };
                expected["socket"] = pick(step.socket, sockets).into();
                expected["object"] = object.into();
            }
        }
        assert_eq!(*asked, expected);
    }
    assert_eq!(happened, acted().until(42, 60).await, "the same seed is the same run");
    assert_ne!(happened, acted().until(43, 60).await);
}

#[tokio::test]
async fn without_a_target_a_step_is_told_as_skipped_at_once() {
    let empty = Acted {
        objects: Box::new(|_| Vec::new()),
        ..acted()
    };
    let happened = empty.until(42, 40).await;
    assert_eq!(happened.len(), 40);
    let mut now = 0;
    for (step, (at, event)) in Plan::new(42).zip(&happened) {
        now += step.after_ms;
        assert_eq!(*at, now);
        // Regions are there without anything having happened.
        if step.disturbance.name() == "failRegion" {
            assert_eq!(event["region"], "eu");
            continue;
        }
        assert_eq!(
            (
                &event["type"],
                &event["state"],
                &event["by"],
                &event["seed"],
                &event["fault"]
            ),
            (
                &json!("fault"),
                &json!("skipped"),
                &json!("chaos"),
                &json!(42),
                &json!(step.disturbance.name())
            )
        );
        assert_eq!(event["details"]["code"], "NOT_FOUND");
    }
}

#[tokio::test]
async fn clients_that_come_back_are_waited_for_and_those_that_do_not_are_given_up() {
    // They are away for three seconds of every ten.
    let away = || Acted {
        sockets: Box::new(|now| match now % 10_000 {
            0..3_000 => BTreeMap::new(),
            _ => BTreeMap::from([("a", vec!["a1"]), ("b", vec!["b1"])]),
        }),
        ..acted()
    };
    let happened = away().until(42, 60).await;
    assert!(
        happened.iter().all(|(_, event)| event["state"].is_null()),
        "{happened:?}"
    );
    assert!(
        happened
            .iter()
            .any(|(at, event)| (3_000..3_100).contains(&(at % 10_000)) && event["socket"].is_string())
    );

    let gone = Acted {
        sockets: Box::new(|_| BTreeMap::new()),
        ..acted()
    };
    let happened = gone.until(42, 60).await;
    let skipped: Vec<&Value> = happened
        .iter()
        .map(|(_, event)| event)
        .filter(|event| event["state"] == "skipped")
        .collect();
    let of_sockets = Plan::new(42)
        .take(60)
        .filter(|step| matches!(step.disturbance.name(), "dropSocket" | "cutPoke" | "swapFrames"));
    assert_eq!(skipped.len(), of_sockets.count());
    assert!(skipped.iter().all(|event| event["object"].is_string()));
}

#[tokio::test]
async fn a_worker_that_restarts_is_waited_for() {
    let restarting = Acted {
        serving: Box::new(|now| now > 600_000),
        ..acted()
    };
    let happened = restarting.until(42, 3).await;
    assert_eq!(happened.len(), 3);
    assert!(
        happened
            .iter()
            .all(|(at, event)| *at > 600_000 && event["state"].is_null())
    );
}

#[tokio::test]
async fn a_refusal_that_passes_is_tried_again_and_one_that_does_not_is_told() {
    let passing = Acted {
        refusal: Box::new(|now| (now % 7_000 < 2_000).then(|| refusal(true)).flatten()),
        ..acted()
    };
    let happened = passing.until(42, 30).await;
    assert!(
        happened.iter().all(|(_, event)| event["state"].is_null()),
        "{happened:?}"
    );

    for (passes, longest) in [(false, 0), (true, 8_000)] {
        let refusing = Acted {
            refusal: Box::new(move |_| refusal(passes)),
            ..acted()
        };
        let happened = refusing.until(42, 10).await;
        let mut now = 0;
        for (step, (at, event)) in Plan::new(42).zip(&happened) {
            now += step.after_ms + longest;
            assert_eq!(*at, now);
            assert_eq!(event["details"], json!({ "code": "SOME_CODE", "message": "said why" }));
        }
        assert_eq!(happened.len(), 10);
    }
}

#[tokio::test]
async fn what_was_done_is_not_done_again_when_only_its_answer_was_lost() {
    let losing = Acted {
        loses: Box::new(|_| true),
        ..acted()
    };
    let happened = losing.until(42, 30).await;
    let steps: Vec<u64> = happened.iter().map(|(_, event)| step_of(event)).collect();
    assert_eq!(steps, (1..=30).collect::<Vec<_>>(), "each once, and none as skipped");
}

#[tokio::test]
async fn what_the_same_seed_did_before_says_nothing_of_this_run() {
    let before = acted().until(42, 10).await;
    let again = Acted {
        // Asked in vain at first.
        refusal: Box::new(|now| (now % 7_000 < 2_000).then(|| refusal(true)).flatten()),
        happened: Mutex::new(before.clone()),
        ..acted()
    };
    let happened = again.until(42, 10).await;
    assert_eq!(happened.len(), 2 * before.len());
}
