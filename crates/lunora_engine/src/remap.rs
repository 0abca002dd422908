//! From a place in a module that workerd runs back to the place in the source it was made from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lunora_workerd::{SourcePosition, StackRemapper};
use sourcemap::SourceMap;

use crate::module_graph::WorkerModule;

/// Source maps of one generation of modules; each is parsed when a stack first needs it.
pub struct SourceMaps {
    texts: HashMap<Arc<str>, Arc<str>>,
    parsed: Mutex<HashMap<Arc<str>, Option<Arc<SourceMap>>>>,
}

impl SourceMaps {
    /// The maps of these modules.
    #[must_use]
    pub fn of(modules: &[WorkerModule]) -> Self {
        Self {
            texts: modules
                .iter()
                .filter_map(|module| Some((module.name.clone(), module.source_map.clone()?)))
                .collect(),
            parsed: Mutex::new(HashMap::new()),
        }
    }

    /// The map of a bundle; its sources are named by the map itself.
    #[must_use]
    pub fn of_bundle(name: &str, map: Option<&str>) -> Self {
        Self {
            texts: map.map(|map| (Arc::from(name), Arc::from(map))).into_iter().collect(),
            parsed: Mutex::new(HashMap::new()),
        }
    }

    fn map_of(&self, module: &str) -> Option<Arc<SourceMap>> {
        let (name, text) = self.texts.get_key_value(module)?;
        self.parsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name.clone())
            .or_insert_with(|| SourceMap::from_slice(text.as_bytes()).ok().map(Arc::new))
            .clone()
    }
}

impl StackRemapper for SourceMaps {
    fn remap(&self, module: &str, line: u32, column: u32) -> Option<SourcePosition> {
        let map = self.map_of(module)?;
        let token = map.lookup_token(line.checked_sub(1)?, column.checked_sub(1)?)?;
        // A module's own map names just the module; a bundle's map names each source, relative to the bundle.
        let file = match token.get_source() {
            Some(source) if source.starts_with("../") => source.trim_start_matches("../").to_owned(),
            _ => module.to_owned(),
        };
        Some(SourcePosition {
            file,
            line: token.get_src_line() + 1,
            column: token.get_src_col() + 1,
        })
    }
}
