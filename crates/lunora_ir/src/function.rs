//! Functions: what a client or another function can call.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Address, Validator};

/// The kinds of function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FunctionKind {
    /// Reads.
    Query,
    /// Reads and writes, serialised, in one transaction.
    Mutation,
    /// Runs in the Worker, may call the outside.
    Action,
    /// Reads, and answers piece by piece, over a socket only.
    Stream,
}

/// Who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    /// Anybody who reaches the Worker.
    Public,
    /// Other functions only.
    Internal,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// Path on the wire: `<file below lunora/ without extension>:<export>`, for example
    /// `messages:list` or `admin/users:ban`.
    pub path: String,
    /// The file, project-relative with `/`.
    pub file: String,
    /// The name it is exported by.
    pub export: String,
    /// Query, mutation, action or stream.
    pub kind: FunctionKind,
    /// Public or internal.
    pub visibility: Visibility,
    /// Arguments in source order.
    pub input: IndexMap<String, Validator>,
    /// `.output(…)`
    pub output: Option<Validator>,
    /// Where it runs.
    pub address: Address,
    /// Tables it reads or writes, sorted, as far as static reading sees.
    pub tables: Vec<String>,
}
