//! All databases of a server.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lunora_diagnostics::codes;
use tokio::sync::OnceCell;

use crate::database::Database;
use crate::database_name::{DATABASE_HEADER, is_database_name};
use crate::failure::Failure;
use crate::limits::D1Limits;

/// See the module. A database is opened by the first request that names it.
pub(crate) struct Databases {
    folder: PathBuf,
    limits: D1Limits,
    open: Mutex<HashMap<String, Arc<OnceCell<Arc<Database>>>>>,
}

impl Databases {
    pub fn new(folder: PathBuf, limits: D1Limits) -> Self {
        Self {
            folder,
            limits,
            open: Mutex::default(),
        }
    }

    pub const fn limits(&self) -> &D1Limits {
        &self.limits
    }

    /// The database that the header names.
    pub async fn named(&self, header: Option<&[u8]>) -> Result<Arc<Database>, Failure> {
        let name = header.unwrap_or_default();
        let name = str::from_utf8(name).ok().filter(|name| is_database_name(name));
        let Some(name) = name else {
            let found = String::from_utf8_lossy(header.unwrap_or_default());
            let found: String = found.chars().take(80).collect();
            let text = format!(
                "`{found}` in `{DATABASE_HEADER}` is no name of a database, which is 1 to 64 of `A-Z a-z 0-9 _ -`"
            );
            return Err(Failure::refused(codes::BAD_REQUEST, text));
        };
        let place = self.places().entry(name.to_owned()).or_default().clone();
        let file = self.folder.join(format!("{name}.sqlite"));
        let opened = place
            .get_or_try_init(|| Database::open(file, self.limits.clone()))
            .await?;
        Ok(opened.clone())
    }

    /// Ends running statements of all databases, which then answer that they were.
    pub fn interrupt(&self) {
        for place in self.places().values() {
            if let Some(database) = place.get() {
                database.interrupt();
            }
        }
    }

    /// Closes the files once what was asked is answered. A later request opens them again.
    pub async fn close(&self) {
        let all: Vec<_> = self.places().drain().collect();
        for (_, place) in all {
            if let Some(database) = place.get() {
                database.close().await;
            }
        }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<OnceCell<Arc<Database>>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
