//! What writers do, and how a write is found again in what subscribers get.

use crate::random::{Random, Zipf};
use crate::scenario::OperationKind;

pub enum Operation {
    Insert { channel: String, body: String },
    Transfer { from: String, to: String },
}

/// Bytes of a body without its marker.
const PADDING: &str = "the quick brown fox jumps over the lazy dog and runs into the woods behind the hill ";

/// A body of about 110 bytes that carries which write it is.
pub fn marked_body(run: &str, index: usize) -> String {
    format!("{PADDING}@@{run}:{index:06}@@")
}

/// The writes of this run that a text carries, at most one for each row in it.
pub fn marks<'text>(text: &'text str, run: &'text str) -> impl Iterator<Item = usize> + 'text {
    text.split("@@")
        .filter_map(move |part| part.strip_prefix(run)?.strip_prefix(':')?.parse().ok())
}

/// The id of an account as the servers are seeded with it: 21 digits, and an end that base64url can have.
pub fn account_id(index: usize) -> String {
    format!("{index:021}A")
}

/// Endless operations of one writer.
pub struct Operations {
    kind: OperationKind,
    run: String,
    random: Random,
    zipf: Option<Zipf>,
    count: usize,
}

impl Operations {
    pub fn new(kind: &OperationKind, choice: Option<&Zipf>, run: &str, writer: usize, seed: u64) -> Self {
        Self {
            kind: kind.clone(),
            run: format!("{run}-{writer}"),
            random: Random::new(seed.wrapping_add(writer as u64)),
            zipf: choice.cloned(),
            count: 0,
        }
    }

    /// How accounts are chosen, where the operation has some.
    pub fn choice(kind: &OperationKind) -> Option<Zipf> {
        match kind {
            OperationKind::Transfer { accounts, alpha } => Some(Zipf::new(*accounts, *alpha)),
            OperationKind::Insert => None,
        }
    }

    pub fn next(&mut self) -> Operation {
        self.count += 1;
        match (&self.kind, &self.zipf) {
            (OperationKind::Transfer { accounts, .. }, Some(zipf)) => {
                let from = zipf.choose(&mut self.random);
                let other = zipf.choose(&mut self.random);
                let to = if other == from { (other + 1) % accounts } else { other };
                Operation::Transfer {
                    from: account_id(from),
                    to: account_id(to),
                }
            }
            _ => Operation::Insert {
                channel: self.run.clone(),
                body: marked_body(&self.run, self.count),
            },
        }
    }
}
