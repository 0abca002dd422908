//! The proof of a table: how many rows, and the sum of their hashes.

use lunora_client::canonical_json;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

/// A sum modulo 2^256, big-endian; as text 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HashSum([u8; 32]);

impl HashSum {
    /// Adds, forgetting what is carried out of the highest byte.
    pub fn add(&mut self, other: &Self) {
        let mut carry = 0_u16;
        for (byte, added) in self.0.iter_mut().rev().zip(other.0.iter().rev()) {
            let [high, low] = (u16::from(*byte) + u16::from(*added) + carry).to_be_bytes();
            *byte = low;
            carry = u16::from(high);
        }
    }

    /// Of 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl std::fmt::Display for HashSum {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for HashSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HashSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a hash has 64 hexadecimal digits"))
    }
}

/// How many rows a table has, and the sum modulo 2^256 of the SHA-256 of each row's canonical wire JSON. A sum, so that
/// neither the order of the rows, nor their pages, nor the shards they lie in matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableProof {
    /// How many.
    pub rows: u64,
    /// The sum.
    pub hash: HashSum,
}

impl TableProof {
    /// Adds a row by its wire JSON, `_id` and `_creationTime` in it.
    pub fn add_row(&mut self, doc: &Json) {
        let digest = Sha256::digest(canonical_json(doc).as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&digest);
        self.rows += 1;
        self.hash.add(&HashSum(bytes));
    }

    /// Adds another part of the table.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.hash.add(&other.hash);
    }
}
