//! Mutations that the server has not answered yet, in order, with their places in the client's sequence.

use std::collections::VecDeque;

use serde_json::Value as Json;

use crate::frame::{FRAME_BYTES, FrameError, MAX_PUSH_ENTRIES, PushEntry};

/// What names a mutation to whoever asked for it; it stays when the mutation gets another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Room for the frame around its entries.
const AROUND: usize = 4096;

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    sequence: u64,
    mutation_id: Option<String>,
    function_path: String,
    arguments: Json,
    bytes: usize,
    is_sent: bool,
}

/// The queue. Places are given when the server has said where the sequence is.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    tickets: u64,
    /// The place after the last one that was given; 0 before the first answer.
    next: u64,
    /// Results up to this place have arrived.
    received: u64,
}

impl Outbox {
    /// Queues a mutation.
    ///
    /// # Errors
    /// When it would not fit into a frame.
    pub(super) fn add(
        &mut self,
        function_path: &str,
        arguments: Json,
        mutation_id: Option<String>,
    ) -> Result<Ticket, FrameError> {
        let bytes = function_path.len() + arguments.to_string().len() + 200;
        if bytes + AROUND > FRAME_BYTES {
            return Err(FrameError::TooLarge(bytes));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let sequence = self.give_place();
        self.waiting.push_back(Waiting {
            ticket,
            sequence,
            mutation_id,
            function_path: function_path.to_owned(),
            arguments,
            bytes,
            is_sent: false,
        });
        Ok(ticket)
    }

    /// 0 where the sequence is not known yet.
    fn give_place(&mut self) -> u64 {
        if self.next == 0 {
            return 0;
        }
        self.next += 1;
        self.next - 1
    }

    /// The server has decided everything up to `watermark`. What waits below it is sent again for its
    /// result. When the server expects an earlier place than the first that waits, its timeline is
    /// another one: everything gets a new place and keeps its mutation id.
    pub(super) fn connected(&mut self, watermark: u64) {
        let first = self.waiting.front().map_or(self.next, |entry| entry.sequence);
        let is_other_timeline = first == 0 || first > watermark + 1;
        for entry in &mut self.waiting {
            entry.is_sent = false;
        }
        if is_other_timeline {
            self.next = watermark + 1;
            self.received = self.received.min(watermark);
            for index in 0..self.waiting.len() {
                let place = self.give_place();
                if let Some(entry) = self.waiting.get_mut(index) {
                    entry.sequence = place;
                }
            }
        } else if self.waiting.is_empty() {
            self.next = watermark + 1;
        }
    }

    /// Entries that were not sent on this connection, as many as fit into one frame; empty when all were.
    pub(super) fn take_unsent(&mut self) -> Vec<PushEntry> {
        let mut bytes = AROUND;
        let mut entries = Vec::new();
        for entry in self.waiting.iter_mut().filter(|entry| !entry.is_sent) {
            bytes += entry.bytes;
            if entries.len() == MAX_PUSH_ENTRIES || bytes > FRAME_BYTES {
                break;
            }
            entry.is_sent = true;
            entries.push(PushEntry {
                client_seq: entry.sequence,
                mutation_id: entry.mutation_id.clone(),
                function_path: entry.function_path.clone(),
                args: entry.arguments.clone(),
            });
        }
        entries
    }

    /// The mutation at a place has been answered. `None` when nobody waits for it any more.
    pub(super) fn settle(&mut self, sequence: u64) -> Option<Ticket> {
        let index = self.waiting.iter().position(|entry| entry.sequence == sequence)?;
        self.received = self.received.max(sequence);
        self.waiting.remove(index).map(|entry| entry.ticket)
    }

    /// What the server need not keep results for any more.
    pub(super) fn received(&self) -> u64 {
        self.received
    }
}
