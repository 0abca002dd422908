//! What changed between the schema that was deployed and the one at hand, and whether stored data survives it.
//!
//! [`Snapshot`] is the part of a schema that stored data depends on, [`Drift`] what changed from one to another.
//! Everything here is pure; reading and writing the baseline is the business of others.

mod change;
mod diff;
mod gate;
mod kind_text;
mod runbook;
mod snapshot;
mod widening;

pub use change::{Change, ChangeKind};
pub use gate::{Drift, DriftEntry};
pub use runbook::{Stranded, runbook, stranded_text};
pub use snapshot::{FieldSnapshot, RelationSnapshot, Snapshot, SnapshotParseError, TableSnapshot};

#[cfg(test)]
mod tests;
