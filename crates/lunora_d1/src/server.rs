//! A running server, as its owner holds it.

use std::future::IntoFuture as _;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunora_diagnostics::{Diagnostic, codes};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::databases::Databases;
use crate::limits::D1Limits;
use crate::router::router;
use crate::socket;

/// How long closing waits for requests before it interrupts their statements, and then once more.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// What a server is made of.
#[derive(Debug, Clone)]
pub struct D1Options {
    /// Where the databases are, `<name>.sqlite` each; made when it is missing.
    pub folder: PathBuf,
    /// What requests and databases may be.
    pub limits: D1Limits,
}

impl D1Options {
    /// Databases in this folder, with D1's own limits.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            limits: D1Limits::default(),
        }
    }
}

/// A running server. Dropping it ends it without waiting for requests; [`D1Server::close`] is the orderly end. Either way
/// what was acknowledged is on the disk.
pub struct D1Server {
    databases: Arc<Databases>,
    folder: PathBuf,
    socket: PathBuf,
    stop: CancellationToken,
    serving: TaskTracker,
    /// Removed when dropped.
    socket_folder: Mutex<Option<tempfile::TempDir>>,
}

impl D1Server {
    /// Opens the socket and begins to answer. A database is made when it is first asked. Needs a tokio runtime.
    ///
    /// # Errors
    /// `DISK_FULL`, `PATH_READ_ONLY` or `FILE_WRITE_FAILED` when the folder cannot be made, `INTERNAL` when the socket
    /// cannot be opened.
    pub async fn start(options: D1Options) -> Result<Self, Diagnostic> {
        make_folder(&options.folder)?;
        let socket = socket::open().map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("D1 could not listen to the worker: {error}."))
        })?;
        let databases = Arc::new(Databases::new(options.folder.clone(), options.limits));
        let stop = CancellationToken::new();
        let serving = TaskTracker::new();
        let served = axum::serve(socket.listener, router(databases.clone()))
            .with_graceful_shutdown(stop.clone().cancelled_owned())
            .into_future();
        serving.spawn(async move {
            if let Err(error) = served.await {
                tracing::error!("D1 stopped listening: {error}");
            }
        });
        Ok(Self {
            databases,
            folder: options.folder,
            socket: socket.path,
            stop,
            serving,
            socket_folder: Mutex::new(Some(socket.folder)),
        })
    }

    /// The unix socket that workerd connects to, for an external service `unix:<path>` with the injected header
    /// [`crate::DATABASE_HEADER`]. It is there as long as the server is.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where the databases are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes no more connections, answers what was asked (a statement that goes on is interrupted), and closes the
    /// databases. Again is harmless.
    pub async fn close(&self) {
        self.stop.cancel();
        self.serving.close();
        if timeout(CLOSE_LIMIT, self.serving.wait()).await.is_err() {
            self.databases.interrupt();
            // A client that does not read its answer is not waited for.
            drop(timeout(CLOSE_LIMIT, self.serving.wait()).await);
        }
        self.databases.close().await;
        drop(self.socket_folder.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for D1Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.databases.interrupt();
    }
}

/// Rows are the user's own affair.
fn make_folder(folder: &Path) -> Result<(), Diagnostic> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        let code = match error.kind() {
            io::ErrorKind::StorageFull => codes::DISK_FULL,
            io::ErrorKind::ReadOnlyFilesystem => codes::PATH_READ_ONLY,
            _ => codes::FILE_WRITE_FAILED,
        };
        Diagnostic::error(
            code,
            format!(
                "`{}`, where D1's databases lie, cannot be made: {error}.",
                folder.display()
            ),
        )
    })
}
