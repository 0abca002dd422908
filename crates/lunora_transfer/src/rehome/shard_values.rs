//! Which shard value each of many rows has.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// As much of an id's SHA-256 as tells ids apart.
type Key = [u8; 16];

fn key(id: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(id)[..16]);
    key
}

/// The shard value of each row, by id: 20 bytes a row, however long ids and values are, and each value once.
#[derive(Debug, Default)]
pub(super) struct ShardValues {
    rows: Vec<(Key, u32)>,
    values: Vec<String>,
    /// Where a value is in `values`.
    places: HashMap<String, u32>,
    is_sorted: bool,
}

impl ShardValues {
    /// Room for so many rows, so that nothing is moved while they come.
    pub(super) fn for_rows(rows: u64) -> Self {
        Self {
            // A number that is too large is that of a dump that was read whole before.
            rows: Vec::with_capacity(usize::try_from(rows).unwrap_or(0)),
            ..Self::default()
        }
    }

    /// Values that do not fit are refused: there are never so many.
    pub(super) fn insert(&mut self, id: &str, value: &str) -> Option<()> {
        let place = match self.places.get(value) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.values.len()).ok()?;
                self.values.push(value.to_owned());
                self.places.insert(value.to_owned(), place);
                place
            }
        };
        self.rows.push((key(id), place));
        self.is_sorted = false;
        Some(())
    }

    /// Everything is there: from now on it is looked up.
    pub(super) fn finish(&mut self) {
        self.rows.sort_unstable();
        self.places = HashMap::new();
        self.is_sorted = true;
    }

    /// The shard value of a row; none where nothing moves.
    pub(super) fn get(&self, id: &str) -> Option<&str> {
        debug_assert!(self.is_sorted, "looked up before everything was there");
        let key = key(id);
        let place = self.rows.binary_search_by(|(other, _)| other.cmp(&key)).ok()?;
        let (_, value) = self.rows.get(place)?;
        self.values.get(usize::try_from(*value).ok()?).map(String::as_str)
    }

    /// Bytes that the rows take.
    #[cfg(test)]
    fn row_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<(Key, u32)>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn every_row_is_found_and_takes_twenty_bytes() {
        const ROWS: u64 = 100_000;
        let mut values = ShardValues::for_rows(ROWS);
        for row in 0..ROWS {
            values
                .insert(
                    &format!("row {row} with an id as long as it likes to be"),
                    &format!("room {}", row % 7),
                )
                .unwrap();
        }
        values.finish();
        for row in 0..ROWS {
            let id = format!("row {row} with an id as long as it likes to be");
            assert_eq!(values.get(&id), Some(format!("room {}", row % 7).as_str()));
        }
        assert_eq!(values.get("another"), None);
        assert_eq!(values.row_bytes() as u64, 20 * ROWS);
        assert_eq!(values.values.len(), 7);
    }
}
