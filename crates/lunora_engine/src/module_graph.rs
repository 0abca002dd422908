//! The modules that the worker's entry reaches.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// One module of the development worker.
#[derive(Debug, Clone)]
pub struct WorkerModule {
    /// Its name, which is its path below the project root.
    pub name: Arc<str>,
    /// JavaScript, or JSON for a `.json` file.
    pub body: Arc<str>,
    /// Where its lines come from.
    pub source_map: Option<Arc<str>>,
    /// Whether it is JSON.
    pub is_json: bool,
}

/// The modules that the worker's entry reaches.
#[derive(Debug, Clone, Default)]
pub struct ModuleGraph {
    /// App modules, the entry first.
    pub modules: Vec<WorkerModule>,
    /// npm specifiers, sorted.
    pub packages: Vec<String>,
    /// Files outside the app's folder that take part, absolute.
    pub outside: BTreeSet<PathBuf>,
    /// Why single modules cannot express this app, when they cannot.
    pub needs_bundle: Option<String>,
}
