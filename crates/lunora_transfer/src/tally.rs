//! What has been seen of a dump so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::line::{Footer, Header, Line};
use crate::table_hash::TableProof;

/// Counts and hashes of the lines so far; what a footer says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// By table.
    pub tables: BTreeMap<String, TableProof>,
    /// Shards that began.
    pub shards: u64,
    /// Rows that ride along.
    pub companions: u64,
    /// All lines.
    pub lines: u64,
}

impl Tally {
    /// With every table of the header, so that one without rows is proven to have none.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self {
            tables: header
                .tables
                .keys()
                .map(|name| (name.clone(), TableProof::default()))
                .collect(),
            lines: 1,
            ..Self::default()
        }
    }

    /// Counts a line between the first and the last.
    ///
    /// # Errors
    /// For a line that does not belong there, and for a table that the header does not name.
    pub fn add(&mut self, number: u64, line: &Line) -> Result<(), TransferError> {
        let malformed = |why: String| TransferError::Malformed { line: number, why };
        self.lines += 1;
        match line {
            Line::Header(_) => return Err(malformed("a second first line".to_owned())),
            Line::Footer(_) => return Err(malformed("lines follow the last line".to_owned())),
            Line::Shard(_) => self.shards += 1,
            _ if self.shards == 0 => return Err(malformed("it stands before any shard begins".to_owned())),
            Line::Companion => self.companions += 1,
            Line::Row { table, doc } => self
                .tables
                .get_mut(table)
                .ok_or_else(|| malformed(format!("the first line does not name the table `{table}`")))?
                .add_row(doc),
        }
        Ok(())
    }

    /// The last line after these.
    #[must_use]
    pub fn footer(&self) -> Footer {
        Footer {
            tables: self.tables.clone(),
            shards: self.shards,
            companions: self.companions,
            lines: self.lines + 1,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|proof| proof.rows).sum()
    }
}

/// Names of tables whose proofs differ, with both counts.
#[must_use]
pub fn differences(expected: &BTreeMap<String, TableProof>, found: &BTreeMap<String, TableProof>) -> Vec<String> {
    let none = TableProof::default();
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let (left, right) = (expected.get(name).unwrap_or(&none), found.get(name).unwrap_or(&none));
            (left != right).then(|| match left.rows == right.rows {
                true => format!("`{name}` ({} rows on both sides, with other contents)", left.rows),
                false => format!("`{name}` ({} rows expected, {} found)", left.rows, right.rows),
            })
        })
        .collect()
}
