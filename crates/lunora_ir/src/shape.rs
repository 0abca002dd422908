//! Shapes: the parts of tables that clients keep a live copy of.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Address, Validator};

/// How subscribers of a shape come to know of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ShapeRefresh {
    /// The shard pokes as soon as a change is committed.
    #[default]
    Poke,
    /// The rows are in D1, which is asked for changes while somebody subscribes.
    Poll,
}

/// A shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// The name it is exported by, which is what subscribers say.
    pub name: String,
    /// The file, project-relative with `/`.
    pub file: String,
    /// The table whose rows it shares.
    pub table: String,
    /// Arguments in source order.
    pub input: IndexMap<String, Validator>,
    /// The shard that all of it is in: [`Address::Root`] or [`Address::Argument`].
    pub address: Address,
    /// Follows from the tier of the table.
    #[serde(default)]
    pub refresh: ShapeRefresh,
}
