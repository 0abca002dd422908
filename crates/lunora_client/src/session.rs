//! What a client of one shard remembers, as a state machine: frames and wishes in, frames and news out.
//! It knows no socket, no clock and no chance, so that a simulation can drive it.

mod outbox;
mod query;
mod shapes;
mod view;

pub use outbox::Ticket;
pub use view::View;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::frame::{CAPABILITY_BATCH, ClientFrame, ErrorBody, FrameError, ServerFrame};
use outbox::Outbox;
use query::Query;
use shapes::Shapes;
use view::{Part, Poke};

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send the frame.
    Send(ClientFrame),
    /// The connection can be used.
    Ready,
    /// A mutation was answered.
    Settled(Ticket, Result<Option<Json>, ErrorBody>),
    /// A query has another result; `None` stands for `undefined`.
    Data(String, Option<Json>),
    /// A view changed: see [`Session::view`].
    Changed(String),
    /// A subscription ended.
    Ended(String, ErrorBody),
    /// The server refused what this client sent; the close comes next.
    Refused(ErrorBody),
    /// The connection does not fit what is known: close it and connect again.
    Reconnect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Offline,
    /// `connect` was sent.
    Greeting,
    Ready,
}

/// How often in a row a result or a view may be read afresh on one connection.
const STRIKES: u32 = 1;

/// One client in one shard.
#[derive(Debug)]
pub struct Session {
    client_id: String,
    phase: Phase,
    requests: u64,
    outbox: Outbox,
    queries: BTreeMap<String, Query>,
    shapes: Shapes,
}

impl Session {
    /// `client_id` names this client's sequence of pushes: no other client of the identity may have it.
    #[must_use]
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            phase: Phase::Offline,
            requests: 0,
            outbox: Outbox::default(),
            queries: BTreeMap::new(),
            shapes: Shapes::default(),
        }
    }

    fn request(&mut self, kind: &str) -> String {
        self.requests += 1;
        format!("{kind}{}", self.requests)
    }

    /// A socket is open.
    pub fn opened(&mut self) -> Vec<Effect> {
        self.phase = Phase::Greeting;
        self.shapes.cut();
        vec![Effect::Send(ClientFrame::Connect {
            id: self.request("c"),
            client_id: Some(self.client_id.clone()),
            caps: Some(vec![CAPABILITY_BATCH.to_owned()]),
            context: None,
        })]
    }

    /// The socket is gone; what was half-way through a poke is forgotten.
    pub fn closed(&mut self) {
        self.phase = Phase::Offline;
        self.shapes.cut();
    }

    /// Queues a mutation; [`Self::flush`] sends what is queued. Arguments are wire-encoded.
    ///
    /// # Errors
    /// When it would not fit into a frame.
    pub fn mutate(
        &mut self,
        function_path: &str,
        arguments: Json,
        mutation_id: Option<String>,
    ) -> Result<Ticket, FrameError> {
        self.outbox.add(function_path, arguments, mutation_id)
    }

    /// Everything that is queued, in as few frames as it fits into.
    pub fn flush(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while self.phase == Phase::Ready {
            let entries = self.outbox.take_unsent();
            if entries.is_empty() {
                break;
            }
            effects.push(Effect::Send(ClientFrame::Push {
                id: self.request("p"),
                client_id: self.client_id.clone(),
                entries,
                received: Some(self.outbox.received()),
            }));
        }
        effects
    }

    /// Subscribes to a query; arguments are wire-encoded.
    pub fn subscribe(&mut self, function_path: &str, arguments: Json) -> (String, Vec<Effect>) {
        let id = self.request("q");
        let query = Query::new(function_path, arguments);
        let frame = query.frame(&id);
        self.queries.insert(id.clone(), query);
        (id, self.when_ready(frame))
    }

    /// Subscribes to a shape; arguments are wire-encoded.
    pub fn subscribe_shape(&mut self, name: &str, arguments: Json) -> (String, Vec<Effect>) {
        let id = self.request("s");
        let frame = self.shapes.add(&id, name, arguments);
        (id, self.when_ready(frame))
    }

    /// Ends a subscription to a query or a shape.
    pub fn unsubscribe(&mut self, id: &str) -> Vec<Effect> {
        let id = id.to_owned();
        if self.queries.remove(&id).is_some() {
            return self.when_ready(ClientFrame::Unsubscribe { id });
        }
        if self.shapes.remove(&id) {
            return self.when_ready(ClientFrame::ShapeUnsubscribe { id });
        }
        Vec::new()
    }

    /// The rows of a shape that is subscribed to.
    #[must_use]
    pub fn view(&self, id: &str) -> Option<&View> {
        self.shapes.view(id)
    }

    fn when_ready(&self, frame: ClientFrame) -> Vec<Effect> {
        match self.phase {
            Phase::Ready => vec![Effect::Send(frame)],
            // Sent with everything else when the connection is.
            Phase::Offline | Phase::Greeting => Vec::new(),
        }
    }

    /// A frame of the server.
    pub fn received(&mut self, frame: ServerFrame) -> Vec<Effect> {
        match frame {
            ServerFrame::Ack {
                results: Some(results), ..
            } => self.pushed(results),
            ServerFrame::Ack { progress, .. } => self.greeted(progress.last_mutation_id.unwrap_or(0)),
            ServerFrame::Data { id, data, progress } => self.data(id, data, progress.cursor.zip(progress.epoch)),
            ServerFrame::Resume { id, cursor, epoch } => self.moved(&id, cursor, epoch),
            ServerFrame::Settled {
                id: Some(id),
                cursor,
                epoch,
                ..
            } => self.moved(&id, cursor, epoch),
            ServerFrame::Settled {
                id: None,
                cursor,
                epoch,
                ..
            } => self.overtaken(cursor, &epoch),
            ServerFrame::PokeStart {
                poke_id,
                base_checkpoint,
                epoch,
            } => self.shapes.poke_started(Poke::start(poke_id, base_checkpoint, epoch)),
            ServerFrame::PokePart {
                poke_id,
                shape_id,
                rows_patch,
                base_checkpoint,
                reset,
                version,
                ..
            } => {
                let part = Part {
                    shape: shape_id,
                    operations: rows_patch,
                    base: base_checkpoint,
                    reset: reset.unwrap_or(false),
                    version,
                };
                self.shapes.part_came(&poke_id, part)
            }
            ServerFrame::PokeEnd {
                poke_id,
                checkpoint,
                epoch,
            } => self.shapes.poke_ended(&poke_id, checkpoint, epoch),
            ServerFrame::Error { id: Some(id), error } if self.queries.remove(&id).is_some() => {
                vec![Effect::Ended(id, error)]
            }
            ServerFrame::Error { id: Some(id), error } if self.shapes.remove(&id) => vec![Effect::Ended(id, error)],
            ServerFrame::Error { error, .. } => vec![Effect::Refused(error)],
            // Streams, whispers and deltas of pages are asked for by nobody here.
            ServerFrame::Delta { .. }
            | ServerFrame::Chunk { .. }
            | ServerFrame::Whisper { .. }
            | ServerFrame::Complete { .. } => Vec::new(),
        }
    }

    /// `connect` was answered: everything that is subscribed to, from where it is, and what waits.
    fn greeted(&mut self, watermark: u64) -> Vec<Effect> {
        if self.phase != Phase::Greeting {
            return Vec::new();
        }
        self.phase = Phase::Ready;
        self.outbox.connected(watermark);
        let mut effects = vec![Effect::Ready];
        effects.extend(self.queries.iter().map(|(id, query)| Effect::Send(query.frame(id))));
        effects.extend(self.shapes.frames());
        effects.extend(self.flush());
        effects
    }

    fn pushed(&mut self, results: Vec<crate::frame::PushResult>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for result in results {
            if result.error.as_ref().is_some_and(|error| error.code == "OUT_OF_ORDER") {
                // The answer to `connect` says where the sequence is.
                effects.push(Effect::Reconnect);
                break;
            }
            if let Some(ticket) = self.outbox.settle(result.client_seq) {
                effects.push(Effect::Settled(ticket, result.error.map_or(Ok(result.result), Err)));
            }
        }
        effects
    }

    fn data(&mut self, id: String, data: Option<Json>, position: Option<(u64, String)>) -> Vec<Effect> {
        let Some(query) = self.queries.get_mut(&id) else {
            return Vec::new();
        };
        if let Some((cursor, epoch)) = &position
            && query.is_overtaken(*cursor, epoch)
        {
            return vec![afresh(query, &id)];
        }
        query.moved(position);
        vec![Effect::Data(id, data)]
    }

    fn moved(&mut self, id: &str, cursor: u64, epoch: String) -> Vec<Effect> {
        let Some(query) = self.queries.get_mut(id) else {
            return Vec::new();
        };
        if query.is_overtaken(cursor, &epoch) {
            return vec![afresh(query, id)];
        }
        query.moved(Some((cursor, epoch)));
        Vec::new()
    }

    /// What is said of the whole socket says where no query stands, but may show that it came too late.
    fn overtaken(&mut self, cursor: u64, epoch: &str) -> Vec<Effect> {
        self.queries
            .iter_mut()
            .filter(|(_, query)| query.is_overtaken(cursor, epoch))
            .map(|(id, query)| afresh(query, id))
            .collect()
    }
}

/// Asks for it again without a position: at once the first time, then over another connection, which waits before it is
/// made. What is shown stays on show until then.
fn afresh(query: &mut Query, id: &str) -> Effect {
    if query.strike() > STRIKES {
        Effect::Reconnect
    } else {
        Effect::Send(query.frame(id))
    }
}
