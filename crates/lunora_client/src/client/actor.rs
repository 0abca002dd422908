//! Owns the session and its socket: everything that waits, waits here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{ClientOptions, Latest};
use crate::error::ClientError;
use crate::frame::ErrorBody;
use crate::reconnect::{Next, after_close};
use crate::session::{Effect, Session, Ticket, View};
use crate::socket::{Received, Socket};
use crate::value::{Value, decode};

const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A connection that says nothing for this long is taken for broken.
const SILENCE: Duration = Duration::from_secs(60);
/// How often subscriptions that nobody holds any more are looked for.
const SWEEP: Duration = Duration::from_secs(1);

type Answer = oneshot::Sender<Result<Option<Json>, ClientError>>;

pub(super) enum Command {
    Mutate {
        function_path: String,
        arguments: Json,
        answer: Answer,
    },
    Subscribe {
        function_path: String,
        arguments: Json,
        state: watch::Sender<Latest<Value>>,
    },
    SubscribeShape {
        name: String,
        arguments: Json,
        state: watch::Sender<Latest<View>>,
    },
}

/// How a connection ended.
enum End {
    /// Every handle is gone.
    Released,
    Closed(Option<u16>, String),
}

pub(super) struct Actor {
    options: ClientOptions,
    commands: mpsc::UnboundedReceiver<Command>,
    session: Session,
    answers: HashMap<Ticket, Answer>,
    queries: HashMap<String, watch::Sender<Latest<Value>>>,
    shapes: HashMap<String, watch::Sender<Latest<View>>>,
    /// Attempts since a connection last was ready.
    failures: u32,
    /// The last word of the server before it closed.
    refused: Option<ErrorBody>,
}

impl Actor {
    pub(super) fn new(options: ClientOptions, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            session: Session::new(options.client_id.clone()),
            options,
            commands,
            answers: HashMap::new(),
            queries: HashMap::new(),
            shapes: HashMap::new(),
            failures: 0,
            refused: None,
        }
    }

    /// Until every handle is gone or the server does not want this client.
    pub(super) async fn run(mut self) {
        let mut token = (self.options.token)();
        loop {
            let end = match Socket::connect(&self.options.address, &self.options.shard, token.as_deref()).await {
                Ok(mut socket) => {
                    let end = self.converse(&mut socket).await;
                    socket.close().await;
                    end
                }
                Err(error) => End::Closed(None, error.to_string()),
            };
            self.session.closed();
            let End::Closed(code, reason) = end else { return };
            let next = (self.options.token)();
            match after_close(code, self.failures, random()) {
                Next::NewToken if next != token => {}
                Next::NewToken | Next::GiveUp => return self.give_up(code.unwrap_or(1006), reason),
                Next::After(pause) => {
                    self.failures += 1;
                    if self.wait(pause).await.is_none() {
                        return;
                    }
                }
            }
            token = next;
        }
    }

    /// Goes on taking commands; `None` when every handle is gone.
    async fn wait(&mut self, pause: Duration) -> Option<()> {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Some(()),
                command = self.commands.recv() => {
                    self.take(command?);
                }
            }
        }
    }

    async fn converse(&mut self, socket: &mut Socket) -> End {
        match self.exchange(socket).await {
            Ok(end) => end,
            Err(error) => End::Closed(None, error.to_string()),
        }
    }

    async fn exchange(&mut self, socket: &mut Socket) -> Result<End, ClientError> {
        let mut keep_alive = interval(KEEP_ALIVE);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let opened = self.session.opened();
        if self.perform(socket, opened).await? {
            return Ok(End::Closed(None, String::new()));
        }
        loop {
            let effects = tokio::select! {
                received = socket.next() => {
                    heard = Instant::now();
                    match received? {
                        Received::Pong => Vec::new(),
                        Received::Closed(code, reason) => return Ok(End::Closed(code, reason)),
                        Received::Message(message) => message
                            .into_frames()
                            .into_iter()
                            .flat_map(|frame| self.session.received(frame))
                            .collect(),
                    }
                }
                command = self.commands.recv() => {
                    let Some(command) = command else { return Ok(End::Released) };
                    let mut effects = self.take(command);
                    // What is queued already travels in the same frame.
                    while let Ok(command) = self.commands.try_recv() {
                        effects.extend(self.take(command));
                    }
                    effects.extend(self.session.flush());
                    effects
                }
                _ = keep_alive.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Ok(End::Closed(None, "The server says nothing".to_owned()));
                    }
                    socket.ping().await?;
                    Vec::new()
                }
                _ = sweep.tick() => self.sweep(),
            };
            if self.perform(socket, effects).await? {
                return Ok(End::Closed(None, String::new()));
            }
        }
    }

    fn take(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Mutate {
                function_path,
                arguments,
                answer,
            } => {
                match self.session.mutate(&function_path, arguments, None) {
                    Ok(ticket) => {
                        self.answers.insert(ticket, answer);
                    }
                    // Whoever asked may have gone.
                    Err(error) => drop(answer.send(Err(error.into()))),
                }
                Vec::new()
            }
            Command::Subscribe {
                function_path,
                arguments,
                state,
            } => {
                let (id, effects) = self.session.subscribe(&function_path, arguments);
                self.queries.insert(id, state);
                effects
            }
            Command::SubscribeShape { name, arguments, state } => {
                let (id, effects) = self.session.subscribe_shape(&name, arguments);
                self.shapes.insert(id, state);
                effects
            }
        }
    }

    /// Ends subscriptions that nobody holds.
    fn sweep(&mut self) -> Vec<Effect> {
        let queries = self.queries.iter().filter(|(_, state)| state.is_closed());
        let shapes = self.shapes.iter().filter(|(_, state)| state.is_closed());
        let left: Vec<_> = queries
            .map(|(id, _)| id)
            .chain(shapes.map(|(id, _)| id))
            .cloned()
            .collect();
        left.iter()
            .flat_map(|id| {
                self.queries.remove(id);
                self.shapes.remove(id);
                self.session.unsubscribe(id)
            })
            .collect()
    }

    /// Sends what is to be sent and tells who waits; whether the connection is to be made again.
    async fn perform(&mut self, socket: &mut Socket, effects: Vec<Effect>) -> Result<bool, ClientError> {
        let mut frames = Vec::new();
        let mut is_over = false;
        for effect in effects {
            match effect {
                Effect::Send(frame) => frames.push(frame),
                Effect::Ready => self.failures = 0,
                Effect::Settled(ticket, outcome) => {
                    if let Some(answer) = self.answers.remove(&ticket) {
                        drop(answer.send(outcome.map_err(ClientError::from)));
                    }
                }
                Effect::Data(id, data) => {
                    if let Some(state) = self.queries.get(&id) {
                        let value = data.as_ref().map_or(Ok(Value::Undefined), decode);
                        state.send_replace(Some(value.map(Arc::new).map_err(ClientError::Wire)));
                    }
                }
                Effect::Changed(id) => {
                    if let (Some(state), Some(view)) = (self.shapes.get(&id), self.session.view(&id)) {
                        state.send_replace(Some(Ok(Arc::new(view.clone()))));
                    }
                }
                Effect::Ended(id, error) => self.end(&id, &ClientError::from(error)),
                Effect::Refused(error) => self.refused = Some(error),
                Effect::Reconnect => is_over = true,
            }
        }
        if !frames.is_empty() && !is_over {
            socket.send(&frames).await?;
        }
        Ok(is_over)
    }

    fn end(&mut self, id: &str, error: &ClientError) {
        if let Some(state) = self.queries.remove(id) {
            state.send_replace(Some(Err(error.clone())));
        }
        if let Some(state) = self.shapes.remove(id) {
            state.send_replace(Some(Err(error.clone())));
        }
    }

    /// Everybody who waits is told why.
    fn give_up(mut self, code: u16, reason: String) {
        let error = match self.refused.take() {
            Some(refused) => refused.into(),
            None => ClientError::Closed { code, reason },
        };
        for (_, answer) in self.answers.drain() {
            drop(answer.send(Err(error.clone())));
        }
        let ids: Vec<_> = self.queries.keys().chain(self.shapes.keys()).cloned().collect();
        for id in ids {
            self.end(&id, &error);
        }
    }
}

/// From 0 up to 1. Without chance every pause is the longest one.
fn random() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / 4_294_967_296.0)
}
