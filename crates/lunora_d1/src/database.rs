//! One database: who runs a request.
//!
//! One thread writes, and commits many requests at once; requests that only read run beside it, each on a snapshot of what
//! is committed when it begins.

mod authorizer;
mod deadline;
mod group;
mod mathematics;
mod meta;
mod readers;
mod rows;
mod run;
mod session;
mod settings;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use lunora_diagnostics::codes;

use crate::failure::Failure;
use crate::limits::D1Limits;
use crate::request::Request;
use readers::{Read, Readers};
use session::{Role, Session};
use writer::Writer;

/// See the module.
pub(crate) struct Database {
    readers: Readers,
    writer: Writer,
}

impl Database {
    /// Opens the file, and makes it when it is missing.
    pub async fn open(file: PathBuf, limits: D1Limits) -> Result<Arc<Self>, Failure> {
        blocking(move || {
            let session = Session::open(&file, Role::Writer, &limits)?;
            let last_row = session.last_row();
            Ok(Arc::new(Self {
                readers: Readers::new(file, limits.clone(), last_row),
                writer: Writer::start(session, limits.group)?,
            }))
        })
        .await
    }

    /// Runs a request in one transaction; the answer is JSON, and durable.
    pub async fn run(&self, request: Request) -> Result<Vec<u8>, Failure> {
        match self.readers.run(request).await {
            Read::Answered(answer) => answer,
            Read::Writes(request) => self.writer.run(request).await,
        }
    }

    /// The file's bytes as they would be with everything committed in it.
    pub async fn dump(&self) -> Result<Vec<u8>, Failure> {
        self.readers.dump().await
    }

    /// Ends what is running.
    pub fn interrupt(&self) {
        self.readers.interrupt();
        self.writer.interrupt();
    }

    /// Closes the file once everything asked before is answered.
    pub async fn close(&self) {
        // The last connection to close folds the log into the file.
        self.readers.close();
        self.writer.close().await;
    }
}

/// Runs what blocks on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::refused(codes::INTERNAL, error)))
}
