//! Where a function runs.

use serde::{Deserialize, Serialize};

/// Ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MergeDirection {
    /// Smallest first.
    #[serde(rename = "asc")]
    Ascending,
    /// Largest first.
    #[serde(rename = "desc")]
    Descending,
}

/// How the results of a fan-out become one, as declared with `.fanOut({ … })`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum FanOutMerge {
    /// One array after the other, sorted when `by` is given. The default.
    Concat {
        /// The field to order by.
        by: Option<String>,
        /// Which way.
        direction: Option<MergeDirection>,
    },
    /// The best `k` rows over all shards.
    TopK {
        /// The field to order by.
        by: String,
        /// How many.
        k: u32,
        /// Which way.
        direction: MergeDirection,
    },
    /// The first result that is neither `null` nor `undefined`, in shard order.
    First,
    /// Sum of numbers or bigints.
    Sum,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Rows grouped by a field, another field reduced within each group.
    GroupBy {
        /// The field that names the group.
        by: String,
        /// The field that is reduced.
        value: String,
        /// `sum`, `min`, `max` or `count`.
        operation: String,
    },
}

/// The address of a function, decided once at build time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Address {
    /// The `__root__` shard.
    Root,
    /// The shard that an argument's value names.
    Argument {
        /// The argument of `.input`.
        argument: String,
        /// The shard field of the tables.
        field: String,
    },
    /// The shard carried inside an id argument.
    Id {
        /// The argument of `.input`.
        argument: String,
        /// The table the id belongs to.
        table: String,
        /// The shard field of the tables.
        field: String,
    },
    /// Every known shard, results merged.
    FanOut {
        /// The shard field of the tables.
        field: String,
        /// How results become one.
        merge: FanOutMerge,
    },
    /// The Worker: actions reach no shard themselves.
    Worker,
}
