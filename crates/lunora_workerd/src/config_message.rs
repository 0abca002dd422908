//! The configuration of one generation, as bytes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::config::encode;
use crate::storage_folders::StorageFolders;
use crate::worker_description::WorkerDescription;

/// Written when it is first asked for, and kept for the case that the worker has to be started again.
pub(crate) struct ConfigMessage {
    description: Arc<WorkerDescription>,
    storage: StorageFolders,
    bytes: OnceLock<Bytes>,
}

impl ConfigMessage {
    pub(crate) fn new(description: Arc<WorkerDescription>, storage: StorageFolders) -> Self {
        Self {
            description,
            storage,
            bytes: OnceLock::new(),
        }
    }

    /// Takes milliseconds for an app of a thousand modules; meant for a task that runs while the process before ends.
    pub(crate) fn bytes(&self) -> &Bytes {
        self.bytes
            .get_or_init(|| encode(&self.description, &self.storage).into())
    }
}
