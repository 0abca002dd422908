//! A connection with the rules of D1.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::authorizer::Rules;
use super::deadline::Deadline;
use super::{mathematics, settings};
use crate::failure::Failure;
use crate::limits::D1Limits;

/// How long a lock of another process is waited for.
const LOCK_TIME: Duration = Duration::from_secs(5);
/// Instructions of SQLite between two looks at the deadline.
const INSTRUCTIONS: i32 = 10_000;
const PAGE_BYTES: u64 = 4096;

const LIMITS: [(Limit, i32); 10] = [
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// What a connection is for.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// It writes, alone in this process.
    Writer,
    /// It reads, and is told by the writer which row was inserted last.
    Reader(Arc<AtomicI64>),
}

/// See the module.
pub(crate) struct Session {
    pub connection: Connection,
    pub rules: Arc<Rules>,
    pub deadline: Deadline,
    pub limits: D1Limits,
    page_size: i64,
    is_writer: bool,
    last_row: Arc<AtomicI64>,
    /// Of the version of the schema.
    has_deferrable: Cell<Option<(i64, bool)>>,
}

impl Session {
    /// Opens a database's file; the writer makes it when it is missing.
    pub fn open(file: &Path, role: Role, limits: &D1Limits) -> Result<Self, Failure> {
        let mode = match role {
            Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Role::Reader(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let mut connection = Connection::open_with_flags(file, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(LOCK_TIME)?;
        if matches!(role, Role::Writer) {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // The log is on the disk before a commit is acknowledged.
            connection.pragma_update(None, "synchronous", "FULL")?;
            let pages = u32::try_from(limits.database_bytes / PAGE_BYTES).unwrap_or(u32::MAX);
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value)?;
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        mathematics::install(&connection)?;
        let page_size = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let deadline = Deadline::new();
        let asked = deadline.clone();
        connection.progress_handler(INSTRUCTIONS, Some(move || asked.has_passed()))?;
        let rules = Arc::new(Rules::default());
        connection.authorizer(Some(rules.hook()))?;
        let is_writer = matches!(role, Role::Writer);
        let last_row = match role {
            Role::Writer => Arc::default(),
            Role::Reader(last_row) => last_row,
        };
        Ok(Self {
            connection,
            rules,
            deadline,
            limits: limits.clone(),
            page_size,
            is_writer,
            last_row,
            has_deferrable: Cell::new(None),
        })
    }

    /// Runs statements of this crate, which answer nothing.
    pub fn execute(&self, sql: &str) -> Result<(), Failure> {
        let done = self.rules.trusted(|| self.connection.execute_batch(sql));
        done.map_err(|error| self.failure(error))
    }

    /// A number that a statement of this crate answers.
    pub fn number(&self, sql: &str) -> Result<i64, Failure> {
        let found = self
            .rules
            .trusted(|| self.connection.query_row(sql, [], |row| row.get(0)));
        found.map_err(|error| self.failure(error))
    }

    /// Bytes of the database without what it has free.
    pub fn size(&self) -> Result<i64, Failure> {
        let used = self.number("PRAGMA page_count")? - self.number("PRAGMA freelist_count")?;
        Ok(used * self.page_size)
    }

    /// Whether the schema has constraints that are only looked at when a transaction is committed, so that a transaction
    /// has to be one request's.
    pub fn has_deferrable(&self) -> Result<bool, Failure> {
        let version = self.number("PRAGMA schema_version")?;
        if let Some((of, known)) = self.has_deferrable.get()
            && of == version
        {
            return Ok(known);
        }
        let found = self.number("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE instr(upper(sql), 'DEFERR'))")?;
        self.has_deferrable.set(Some((version, found != 0)));
        Ok(found != 0)
    }

    /// The row that was inserted last, undone or not; for a reader by the writer.
    pub fn last_row_id(&self) -> i64 {
        if self.is_writer {
            self.connection.last_insert_rowid()
        } else {
            self.last_row.load(Ordering::Relaxed)
        }
    }

    /// Where readers find it.
    pub fn last_row(&self) -> Arc<AtomicI64> {
        self.last_row.clone()
    }

    /// Tells readers of it.
    pub fn tell_last_row(&self) {
        self.last_row
            .store(self.connection.last_insert_rowid(), Ordering::Relaxed);
    }

    /// Turns settings off that a request turned on.
    pub fn forget_settings(&self) -> Result<(), Failure> {
        if !self.rules.take_has_settings() {
            return Ok(());
        }
        let done = self.rules.trusted(|| settings::reset(&self.connection));
        done.map_err(|error| self.failure(error))
    }

    /// What SQLite's error is to the one who asked.
    pub fn failure(&self, error: rusqlite::Error) -> Failure {
        if error.sqlite_error_code() != Some(ErrorCode::OperationInterrupted) {
            return error.into();
        }
        let text = if self.deadline.is_interrupted() {
            "the statements were stopped because the database is closing".to_owned()
        } else {
            format!(
                "the statements ran longer than {:?} and were stopped; ask for less at once, or by an index",
                self.limits.query_time
            )
        };
        Failure {
            status: axum::http::StatusCode::OK,
            text: format!("{text}: SQLITE_INTERRUPT"),
        }
    }
}
