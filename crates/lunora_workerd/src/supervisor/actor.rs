//! Does what the state machine says.

mod spares;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use lunora_diagnostics::{Diagnostic, codes};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::binary::WorkerdBinary;
use crate::calendar_date::CalendarDate;
use crate::check::{CheckedDescription, check_description};
use crate::config::secret_environment;
use crate::config_message::ConfigMessage;
use crate::event::WorkerdEvent;
use crate::handle::ReloadOutcome;
use crate::log_context::{Current, LogContext};
use crate::proxy::forward::Proxy;
use crate::region_memory::RegionMemory;
use crate::state_directory::StateDirectory;
use crate::supervisor::machine::{Effect, Event, Generation, Machine, ProcessNumber, Settlement};
use crate::supervisor::process::{ProcessNews, ProcessOptions, Stop, run_process};
use crate::supervisor::spare::Spare;
use crate::supervisor::spawner::{Listeners, Spawner};
use crate::worker_description::WorkerDescription;

/// A process that ran this long and then ended is started again without a growing pause.
const STEADY: Duration = Duration::from_secs(10);
/// The spare is started this long after the worker began to serve, so that it takes nothing from the first requests.
const SPARE_DELAY: Duration = Duration::from_millis(100);
/// How long a process may take to end politely at the end of everything.
const TERMINATE_GRACE: Duration = Duration::from_millis(150);
/// Requests in flight get this long at the end of everything.
const CLOSE_DRAIN: Duration = Duration::from_millis(100);

pub(crate) type Outcome = Result<ReloadOutcome, Diagnostic>;

/// What the handle asks for.
pub(crate) enum Command {
    Update {
        description: Box<WorkerDescription>,
        reply: oneshot::Sender<Outcome>,
    },
    Close,
}

/// What the actor works with.
pub(crate) struct ActorParts {
    pub binary: WorkerdBinary,
    pub state: StateDirectory,
    pub spawner: Arc<Spawner>,
    pub listeners: Arc<Listeners>,
    pub environment: Vec<(OsString, OsString)>,
    pub proxy: Arc<Proxy>,
    pub log: Arc<LogContext>,
    pub clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    pub drain_limit: Duration,
    pub start_limit: Duration,
    /// Number of the running process, 0 for none.
    pub process_id: Arc<AtomicU32>,
}

/// A description that may have to be started.
struct Entry {
    description: Arc<WorkerDescription>,
    config: Arc<ConfigMessage>,
    environment: Vec<(OsString, OsString)>,
    asked: Instant,
    waiting: Vec<oneshot::Sender<Outcome>>,
}

struct Running {
    number: ProcessNumber,
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
    is_tapped: bool,
}

enum Tick {
    Drained,
    PauseOver(u64),
    SpareDue,
}

struct Actor {
    parts: ActorParts,
    machine: Machine,
    entries: BTreeMap<Generation, Entry>,
    newest: Generation,
    running: Option<Running>,
    /// Runs the next worker.
    spare: Option<Spare>,
    /// Why the start that is being settled failed.
    failure: Option<Box<Diagnostic>>,
    pauses: u64,
    regions: RegionMemory,
    news: mpsc::UnboundedSender<(ProcessNumber, ProcessNews)>,
    ticks: mpsc::UnboundedSender<Tick>,
}

/// Runs until closed, then ends the process and lets go of the state folder.
pub(crate) async fn run_actor(parts: ActorParts, mut commands: mpsc::UnboundedReceiver<Command>) {
    let (news, mut heard) = mpsc::unbounded_channel();
    let (ticks, mut ticked) = mpsc::unbounded_channel();
    let mut actor = Actor {
        regions: RegionMemory::open(parts.state.path()),
        parts,
        machine: Machine::new(),
        entries: BTreeMap::new(),
        newest: 0,
        running: None,
        spare: None,
        failure: None,
        pauses: 0,
        news,
        ticks,
    };
    loop {
        // News first: an update should find the state as it is.
        tokio::select! {
            biased;
            Some((number, what)) = heard.recv() => actor.hear(number, what),
            Some(tick) = ticked.recv() => actor.tick(&tick),
            command = commands.recv() => match command {
                Some(Command::Update { description, reply }) => actor.update(*description, reply),
                Some(Command::Close) | None => break,
            },
        }
    }
    // Updates still in the queue find the machine closed and are told so.
    actor.close().await;
    commands.close();
    while let Some(command) = commands.recv().await {
        if let Command::Update { description, reply } = command {
            actor.update(*description, reply);
        }
    }
}

impl Actor {
    fn update(&mut self, description: WorkerDescription, reply: oneshot::Sender<Outcome>) {
        let asked = Instant::now();
        let today = CalendarDate::of((self.parts.clock)());
        let checked = match check_description(description, self.parts.binary.build_date, today) {
            Ok(checked) => checked,
            Err(diagnostic) => return drop(reply.send(Err(diagnostic))),
        };
        let CheckedDescription { description, warnings } = checked;
        let Some(reply) = self.reuse(&description, reply) else {
            return;
        };
        for warning in warnings {
            self.parts.log.emit(WorkerdEvent::Diagnostic(warning));
        }
        let storage = match self.parts.state.storage(&description.jurisdictions) {
            Ok(storage) => storage,
            Err(diagnostic) => return drop(reply.send(Err(diagnostic))),
        };
        self.newest += 1;
        let description = Arc::new(description);
        let entry = Entry {
            config: Arc::new(ConfigMessage::new(Arc::clone(&description), storage)),
            environment: secret_environment(&description),
            description,
            asked,
            waiting: vec![reply],
        };
        self.entries.insert(self.newest, entry);
        self.handle(Event::Update(self.newest));
        self.prepare_spare();
    }

    /// Answers an update that would start what runs or is about to run already. Gives the reply back
    /// where it would not.
    fn reuse(
        &mut self,
        description: &WorkerDescription,
        reply: oneshot::Sender<Outcome>,
    ) -> Option<oneshot::Sender<Outcome>> {
        let pending = self.machine.pending();
        let Some(generation) = pending.or(self.machine.serving()) else {
            return Some(reply);
        };
        let Some(entry) = self.entries.get_mut(&generation) else {
            return Some(reply);
        };
        if !entry.description.runs_like(description) {
            return Some(reply);
        }
        // Source positions and function kinds may differ all the same.
        entry.description = Arc::new(description.clone());
        if pending.is_some() {
            entry.waiting.push(reply);
        } else {
            self.adopt(generation);
            drop(reply.send(Ok(ReloadOutcome::Unchanged { generation })));
        }
        None
    }

    fn hear(&mut self, number: ProcessNumber, what: ProcessNews) {
        if self.running.as_ref().is_none_or(|running| running.number != number) {
            return;
        }
        match what {
            ProcessNews::Spawned { process_id } => self.parts.process_id.store(process_id, Ordering::Release),
            ProcessNews::Ready => self.handle(Event::Ready(number)),
            ProcessNews::StartFailed(diagnostic) => {
                self.ended();
                if self.machine.is_restarting(number) {
                    self.parts.log.emit(WorkerdEvent::Diagnostic((*diagnostic).clone()));
                }
                self.failure = Some(diagnostic);
                self.handle(Event::StartFailed(number));
            }
            ProcessNews::Exited { status, ran_for } => {
                self.ended();
                let unexpected = self.machine.serving();
                if unexpected.is_some() {
                    self.parts.proxy.gate.mark_crashed();
                }
                let effects = self.machine.handle(Event::Exited {
                    process: number,
                    steady: ran_for >= STEADY,
                });
                if let Some(generation) = unexpected {
                    self.announce_crash(generation, &status, &effects);
                }
                self.perform(effects);
            }
        }
    }

    fn announce_crash(&self, generation: Generation, status: &str, effects: &[Effect]) {
        let restart_in = effects
            .iter()
            .find_map(|effect| match effect {
                Effect::Pause(delay) => Some(*delay),
                _ => None,
            })
            .unwrap_or_default();
        self.parts.log.emit(WorkerdEvent::Exited {
            generation,
            status: status.to_owned(),
            restart_in,
        });
        self.parts.log.emit(WorkerdEvent::Diagnostic(Diagnostic::warning(
            codes::WORKER_CRASHED,
            format!(
                "workerd ended unexpectedly ({status}); it is started again in {} ms.",
                restart_in.as_millis()
            ),
        )));
    }

    fn ended(&mut self) {
        self.running = None;
        self.parts.process_id.store(0, Ordering::Release);
    }

    fn tick(&mut self, tick: &Tick) {
        match tick {
            Tick::Drained => self.handle(Event::Drained),
            Tick::PauseOver(pause) if *pause == self.pauses => self.handle(Event::PauseOver),
            // A pause that an update cut short.
            Tick::PauseOver(_) => {}
            Tick::SpareDue => self.keep_spare(),
        }
    }

    fn handle(&mut self, event: Event) {
        let effects = self.machine.handle(event);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Hold => self.parts.proxy.gate.hold(),
                Effect::Drain => self.drain(),
                Effect::Kill(number) => self.stop(number, Stop::Kill),
                Effect::Terminate(number) => self.stop(number, Stop::Terminate(TERMINATE_GRACE)),
                Effect::Spawn { process, generation } => self.spawn(process, generation),
                Effect::Serve(generation) => self.serve(generation),
                Effect::Refuse => {
                    let diagnostic = self.failure.as_deref().cloned().unwrap_or_else(unknown_failure);
                    self.parts.proxy.gate.refuse(diagnostic);
                }
                Effect::Pause(delay) => self.pause(delay),
                Effect::Settle(generation, settlement) => self.settle(generation, settlement),
            }
        }
        let machine = &self.machine;
        self.entries.retain(|generation, _| machine.needs(*generation));
    }

    fn drain(&self) {
        let (gate, ticks, limit) = (
            Arc::clone(&self.parts.proxy.gate),
            self.ticks.clone(),
            self.parts.drain_limit,
        );
        let is_tapped = self.running.as_ref().is_some_and(|running| running.is_tapped);
        let pool = is_tapped.then(|| Arc::clone(&self.parts.proxy.pool));
        tokio::spawn(async move {
            gate.drained(limit).await;
            if let Some(pool) = pool {
                pool.farewell().await;
            }
            // Nobody listening means that everything is closed.
            drop(ticks.send(Tick::Drained));
        });
    }

    fn stop(&self, number: ProcessNumber, how: Stop) {
        if let Some(running) = &self.running
            && running.number == number
        {
            running.stop.send_replace(how);
        }
    }

    fn spawn(&mut self, number: ProcessNumber, generation: Generation) {
        self.pauses += 1;
        let Some(entry) = self.entries.get(&generation) else {
            return;
        };
        let (stop, stopped) = watch::channel(Stop::No);
        let launch = self.launch(entry);
        let spare = self.spare.take().filter(|spare| spare.fits(&launch, generation));
        let options = ProcessOptions {
            number,
            launch,
            spare,
            listeners: Arc::clone(&self.parts.listeners),
            config: Arc::clone(&entry.config),
            service_name: entry.description.service_name.clone(),
            start_limit: self.parts.start_limit,
            log: Arc::clone(&self.parts.log),
            current: current_of(generation, &entry.description),
        };
        self.parts.log.set_current(options.current.clone());
        let task = tokio::spawn(run_process(
            Arc::clone(&self.parts.spawner),
            options,
            stopped,
            self.news.clone(),
        ));
        let is_tapped = entry.description.tap.is_some();
        self.running = Some(Running {
            number,
            stop,
            task,
            is_tapped,
        });
    }

    fn serve(&mut self, generation: Generation) {
        self.adopt(generation);
        let asked = self.entries.get(&generation).map(|entry| entry.asked);
        self.parts.proxy.gate.serve();
        self.parts.log.emit(WorkerdEvent::Started {
            generation,
            duration: asked.map(|asked| asked.elapsed()).unwrap_or_default(),
        });
        self.tell_region(generation);
        self.tick_after(SPARE_DELAY, Tick::SpareDue);
    }

    fn tell_region(&mut self, generation: Generation) {
        if let Some(entry) = self.entries.get(&generation) {
            for event in self
                .regions
                .serves(entry.description.jurisdictions.first().map(String::as_str))
            {
                self.parts.log.emit(event);
            }
        }
    }

    /// Reads source positions and function kinds from the description of `generation` from now on.
    fn adopt(&self, generation: Generation) {
        if let Some(entry) = self.entries.get(&generation) {
            self.parts.log.set_current(current_of(generation, &entry.description));
            self.parts
                .proxy
                .rules
                .set_functions(Arc::clone(&entry.description.functions));
        }
    }

    fn pause(&mut self, delay: Duration) {
        self.pauses += 1;
        self.tick_after(delay, Tick::PauseOver(self.pauses));
    }

    fn tick_after(&self, delay: Duration, tick: Tick) {
        let ticks = self.ticks.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // Nobody listening means that everything is closed.
            drop(ticks.send(tick));
        });
    }

    fn settle(&mut self, generation: Generation, settlement: Settlement) {
        let Some(entry) = self.entries.get_mut(&generation) else {
            return;
        };
        let outcome = match settlement {
            Settlement::Serving => Ok(ReloadOutcome::Serving {
                generation,
                duration: entry.asked.elapsed(),
            }),
            Settlement::Superseded => Ok(ReloadOutcome::Superseded { generation }),
            Settlement::Failed => Err(self.failure.as_deref().cloned().unwrap_or_else(unknown_failure)),
            Settlement::Closed => Err(Diagnostic::error(
                codes::WORKER_CLOSED,
                "The worker was closed before this update could serve.",
            )),
        };
        for reply in entry.waiting.drain(..) {
            // Whoever asked may have stopped waiting.
            drop(reply.send(outcome.clone()));
        }
    }

    async fn close(&mut self) {
        self.parts.proxy.gate.close();
        self.parts.proxy.gate.drained(CLOSE_DRAIN).await;
        self.handle(Event::Close);
        if let Some(running) = self.running.take() {
            // It ends by itself: the process is killed after its grace.
            drop(running.task.await);
        }
        if let Some(spare) = self.spare.take() {
            spare.end().await;
        }
        self.parts.process_id.store(0, Ordering::Release);
    }
}

fn current_of(generation: Generation, description: &WorkerDescription) -> Current {
    Current {
        generation,
        remapper: description.stack_remapper.clone(),
    }
}

fn unknown_failure() -> Diagnostic {
    Diagnostic::error(
        codes::WORKER_START_FAILED,
        "The worker did not start, and workerd did not say why.",
    )
}
