//! Plays a plan on an app: finds the target of each step, asks the worker, tells what could not be done.

use serde_json::{Map, Value, json};

use super::plan::{Disturbance, Plan, Step};

/// How long a step whose target is not there for the moment is tried again, milliseconds: clients that lost their sockets
/// come back meanwhile.
const PATIENCE: u64 = 8_000;
/// How long it waits in between, milliseconds.
const AGAIN: u64 = 100;

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownObject {
    pub name: String,
    /// Whether clients are connected to it, or were a moment ago.
    pub has_clients: bool,
}

/// Why a step could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub code: String,
    pub message: String,
    /// Whether it may be otherwise in a moment.
    pub passes: bool,
}

/// Where a plan is played: the app, the clock and the timeline.
pub(crate) trait Stage: Sync {
    /// Milliseconds of any origin.
    fn now(&self) -> u64;
    fn rest(&self, ms: u64) -> impl Future<Output = ()> + Send;
    fn is_serving(&self) -> bool;
    /// Sorted by name.
    fn objects(&self) -> Vec<KnownObject>;
    /// Where the app's objects are.
    fn region(&self) -> Option<String>;
    /// Of an object, in the order in which they were opened.
    fn sockets(&self, object: &str) -> impl Future<Output = Result<Vec<String>, Trouble>> + Send;
    /// The number of the event that the timeline hears of next.
    fn next_event(&self) -> u64;
    /// Whether the timeline, from the event `since` on, has heard that the step was taken.
    fn was_told(&self, since: u64, seed: u64, step: u64) -> bool;
    /// Asks the worker for a fault.
    fn disturb(&self, argument: &Value) -> impl Future<Output = Result<(), Trouble>> + Send;
    /// Adds an event to the timeline.
    fn tell(&self, event: Map<String, Value>);
}

/// Plays the plan of `seed` until it is dropped; `reached` hears of each step that begins.
pub(crate) async fn play(stage: &impl Stage, seed: u64, reached: impl Fn(u64) + Sync) {
    for step in Plan::new(seed) {
        stage.rest(step.after_ms).await;
        reached(step.step);
        take(stage, seed, &step).await;
    }
}

async fn take(stage: &impl Stage, seed: u64, step: &Step) {
    let since = stage.next_event();
    let mut until = None;
    loop {
        while !stage.is_serving() {
            stage.rest(AGAIN).await;
        }
        let mut object = None;
        let Err(trouble) = attempt(stage, seed, step, &mut object).await else {
            return;
        };
        let until = *until.get_or_insert_with(|| stage.now() + PATIENCE);
        if !trouble.passes || stage.now() >= until {
            return stage.tell(skipped(seed, step, object.as_deref(), &trouble));
        }
        stage.rest(AGAIN).await;
        // Only the answer was lost: an object that was evicted is not evicted again.
        if stage.was_told(since, seed, step.step) {
            return;
        }
    }
}

/// One attempt; `object` is set when one was chosen.
async fn attempt(stage: &impl Stage, seed: u64, step: &Step, object: &mut Option<String>) -> Result<(), Trouble> {
    let by = json!({ "kind": "chaos", "seed": seed, "step": step.step });
    let mut argument = serde_json::to_value(&step.disturbance).unwrap_or_default();
    argument["by"] = by;
    if matches!(step.disturbance, Disturbance::FailRegion { .. }) {
        argument["region"] = stage.region().into();
        return stage.disturb(&argument).await;
    }
    let chosen = choose_object(stage, step)?;
    argument["object"] = chosen.as_str().into();
    *object = Some(chosen.clone());
    if needs_socket(&step.disturbance) {
        let sockets = stage.sockets(&chosen).await?;
        let socket = pick(&sockets, step.socket).ok_or_else(|| Trouble {
            code: "NOT_FOUND".to_owned(),
            message: format!("no client is connected to `{chosen}`"),
            passes: true,
        })?;
        argument["socket"] = socket.as_str().into();
    }
    stage.disturb(&argument).await
}

const fn needs_socket(disturbance: &Disturbance) -> bool {
    matches!(
        disturbance,
        Disturbance::DropSocket | Disturbance::CutPoke { .. } | Disturbance::SwapFrames
    )
}

fn choose_object(stage: &impl Stage, step: &Step) -> Result<String, Trouble> {
    let wants_clients = needs_socket(&step.disturbance) || matches!(step.disturbance, Disturbance::DelayPokes { .. });
    let mut objects = stage.objects();
    objects.retain(|object| object.has_clients || !wants_clients);
    let chosen = pick(&objects, step.object).map(|object| object.name.clone());
    chosen.ok_or_else(|| Trouble {
        code: "NOT_FOUND".to_owned(),
        message: if wants_clients {
            "no client is connected to an object".to_owned()
        } else {
            "nothing has happened in any object yet".to_owned()
        },
        passes: false,
    })
}

fn pick<T>(of: &[T], number: u64) -> Option<&T> {
    let count = u64::try_from(of.len()).ok().filter(|count| *count > 0)?;
    of.get(usize::try_from(number % count).ok()?)
}

fn skipped(seed: u64, step: &Step, object: Option<&str>, trouble: &Trouble) -> Map<String, Value> {
    let mut event = Map::from_iter([
        ("type".to_owned(), "fault".into()),
        ("fault".to_owned(), step.disturbance.name().into()),
        ("state".to_owned(), "skipped".into()),
        ("by".to_owned(), "chaos".into()),
        ("seed".to_owned(), seed.into()),
        ("step".to_owned(), step.step.into()),
        (
            "details".to_owned(),
            json!({ "code": trouble.code, "message": trouble.message }),
        ),
    ]);
    if let Some(object) = object {
        event.insert("object".to_owned(), object.into());
    }
    event
}
