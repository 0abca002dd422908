//! What the events of an object say of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::Entry;
use super::entry::SocketState;

/// Seconds over which writes are counted.
const SECONDS: u64 = PLACES as u64;
const PLACES: usize = 10;
/// How long clients have to come back, milliseconds.
const COMING_BACK: u64 = 30_000;

/// What is known of an object from what happened in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectActivity {
    /// Epoch milliseconds of the newest event.
    pub last_event_at: u64,
    /// Epoch milliseconds of the newest commit.
    pub last_write_at: Option<u64>,
    /// Changes a second, over the last ten.
    pub ops_per_second: f64,
    /// Sockets that were opened and not closed.
    pub sockets: usize,
    /// Where it runs.
    pub region: Option<Arc<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Activity {
    last_event_at: u64,
    last_write_at: Option<u64>,
    /// Changes by second, each place shared by seconds that are [`PLACES`] apart.
    writes: [(u64, u64); PLACES],
    sockets: BTreeSet<Arc<str>>,
    /// Epoch milliseconds of the newest change of them.
    sockets_at: Option<u64>,
    region: Option<Arc<str>>,
}

impl Activity {
    pub(super) fn take(&mut self, entry: &Entry) {
        self.last_event_at = self.last_event_at.max(entry.at);
        if entry.region.is_some() && entry.region != self.region {
            self.region.clone_from(&entry.region);
        }
        match (&entry.socket, entry.state) {
            (Some(socket), Some(SocketState::Open)) => {
                self.sockets.insert(socket.clone());
                self.sockets_at = Some(entry.at);
            }
            (Some(socket), Some(SocketState::Closed)) => {
                self.sockets.remove(socket);
                self.sockets_at = Some(entry.at);
            }
            (_, Some(SocketState::AllLost)) => self.forget_sockets(entry.at),
            _ => {}
        }
        if let ("commit", Some((from, to))) = (&*entry.kind, entry.range) {
            self.last_write_at = self.last_write_at.max(Some(entry.at));
            let second = entry.at / 1000;
            let place = &mut self.writes[usize::try_from(second % SECONDS).unwrap_or(0)];
            if place.0 != second {
                *place = (second, 0);
            }
            place.1 += to.saturating_sub(from);
        }
    }

    /// They are gone at `now` without a word.
    pub(super) fn forget_sockets(&mut self, now: u64) {
        if !self.sockets.is_empty() {
            self.sockets.clear();
            self.sockets_at = Some(now);
        }
    }

    /// Whether clients are connected, or were a moment ago.
    pub(super) fn has_clients(&self, now: u64) -> bool {
        let is_recent = |at: u64| now.saturating_sub(at) < COMING_BACK;
        !self.sockets.is_empty() || self.sockets_at.is_some_and(is_recent)
    }

    pub(super) fn at(&self, now: u64) -> ObjectActivity {
        let second = now / 1000;
        let recent = |at: u64| at <= second && second - at < SECONDS;
        let changes: u64 = self
            .writes
            .iter()
            .filter(|(at, _)| recent(*at))
            .map(|(_, count)| count)
            .sum();
        ObjectActivity {
            last_event_at: self.last_event_at,
            last_write_at: self.last_write_at,
            // Far below 2^53.
            #[allow(clippy::cast_precision_loss)]
            ops_per_second: changes as f64 / SECONDS as f64,
            sockets: self.sockets.len(),
            region: self.region.clone(),
        }
    }
}
