//! The rows of a shape as this client has them, and pokes that change them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::frame::{Operation, RowOperation};

/// Most row changes that one poke may bring: what is buffered has to end somewhere.
const MAX_OPERATIONS: usize = 1_000_000;

/// A live copy of a shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    rows: BTreeMap<String, Json>,
    checkpoint: Option<u64>,
    epoch: Option<String>,
    version: Option<String>,
    /// The server has said what it is. Until then only what says so counts.
    is_told: bool,
    /// Of changes that came before that: the newest place that one led to. What says what the view is has to be as new.
    skipped: Option<u64>,
}

impl View {
    /// Rows by id, wire-encoded.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<String, Json> {
        &self.rows
    }

    /// The position it shows; `None` before the first poke.
    #[must_use]
    pub fn checkpoint(&self) -> Option<u64> {
        self.checkpoint
    }

    /// The epoch of that position.
    #[must_use]
    pub fn epoch(&self) -> Option<&str> {
        self.epoch.as_deref()
    }

    /// The condition and columns that it has.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// A change came for it, which led to that place; `None` when nobody knows to which.
    pub(super) fn skip(&mut self, checkpoint: Option<u64>) {
        self.skipped = self.skipped.max(Some(checkpoint.unwrap_or(u64::MAX)));
    }

    /// Whether a reset to that place has been overtaken by something newer.
    fn is_beyond(&self, checkpoint: Option<u64>, epoch: Option<&str>) -> bool {
        let known = self.checkpoint.filter(|_| self.epoch() == epoch).max(self.skipped);
        known > checkpoint
    }

    fn apply(&mut self, operations: Vec<RowOperation>) {
        for RowOperation { op, key, value, .. } in operations {
            match (op, value) {
                (Operation::Insert | Operation::Update, Some(value)) => {
                    self.rows.insert(key, value);
                }
                // A row without a value would be none.
                (Operation::Delete, _) | (_, None) => {
                    self.rows.remove(&key);
                }
            }
        }
    }
}

/// One part of a poke.
#[derive(Debug)]
pub(super) struct Part {
    pub shape: String,
    pub operations: Vec<RowOperation>,
    pub base: Option<u64>,
    pub reset: bool,
    pub version: Option<String>,
}

/// What has arrived since `pokeStart`.
#[derive(Debug)]
pub(super) struct Poke {
    pub id: String,
    base: Option<u64>,
    epoch: Option<String>,
    parts: Vec<Part>,
    operations: usize,
}

/// What a poke did to a view.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    /// It is told anew.
    Reset,
    /// It did not fit: the view has to be asked for again.
    Dropped,
}

impl Poke {
    pub(super) fn start(id: String, base: Option<u64>, epoch: Option<String>) -> Self {
        Self {
            id,
            base,
            epoch,
            parts: Vec::new(),
            operations: 0,
        }
    }

    /// Whether there was room for it.
    #[must_use]
    pub(super) fn add(&mut self, part: Part) -> bool {
        self.operations += part.operations.len();
        self.parts.push(part);
        self.operations <= MAX_OPERATIONS
    }

    /// The shapes that it had parts for.
    pub(super) fn into_shapes(self) -> BTreeSet<String> {
        self.parts.into_iter().map(|part| part.shape).collect()
    }

    /// Everything at once. Parts for views that are not there are left alone, and so are changes of what is asked for
    /// again and has not been told.
    pub(super) fn apply(
        self,
        views: &mut BTreeMap<String, View>,
        checkpoint: Option<u64>,
        epoch: Option<String>,
    ) -> BTreeMap<String, Outcome> {
        let epoch = epoch.or(self.epoch);
        let mut outcomes = BTreeMap::new();
        for part in self.parts {
            let Some(view) = views.get_mut(&part.shape) else {
                continue;
            };
            if !part.reset && !view.is_told {
                view.skip(checkpoint);
                continue;
            }
            let is_first = !outcomes.contains_key(&part.shape);
            let base = part.base.or(self.base);
            let fits = if part.reset {
                !view.is_beyond(checkpoint, epoch.as_deref())
            } else {
                let is_at_base = !is_first || base.is_none() || base == view.checkpoint;
                is_at_base && (epoch.is_none() || epoch == view.epoch)
            };
            if outcomes.get(&part.shape) == Some(&Outcome::Dropped) || !fits {
                outcomes.insert(part.shape, Outcome::Dropped);
                continue;
            }
            if part.reset {
                *view = View {
                    is_told: true,
                    ..View::default()
                };
                outcomes.insert(part.shape.clone(), Outcome::Reset);
            }
            view.apply(part.operations);
            view.epoch.clone_from(&epoch);
            view.version = part.version.or(view.version.take());
            outcomes.entry(part.shape).or_insert(Outcome::Changed);
        }
        for (shape, outcome) in &outcomes {
            if let (Some(view), Outcome::Changed | Outcome::Reset) = (views.get_mut(shape), outcome) {
                view.checkpoint = checkpoint.or(view.checkpoint);
            }
        }
        outcomes
    }
}
