//! Connections that only read, beside the writer.

use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lunora_diagnostics::codes;
use tokio::sync::Semaphore;

use super::blocking;
use super::deadline::Deadline;
use super::group::Answer;
use super::run::{Stop, run};
use super::session::{Role, Session};
use crate::failure::Failure;
use crate::limits::D1Limits;
use crate::request::Request;

/// Requests that read one database at a time.
const MOST: usize = 4;

/// What became of a request.
pub(crate) enum Read {
    Answered(Answer),
    /// It writes, or asks what only the writer knows; it has not run.
    Writes(Request),
}

/// See the module.
pub(crate) struct Readers {
    places: Semaphore,
    pool: Arc<Pool>,
}

struct Pool {
    file: PathBuf,
    limits: D1Limits,
    last_row: Arc<AtomicI64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Session>,
    /// Of every connection, idle or not.
    deadlines: Vec<Deadline>,
    is_closed: bool,
}

impl Readers {
    /// Opens nothing yet. The writer tells by `last_row`.
    pub fn new(file: PathBuf, limits: D1Limits, last_row: Arc<AtomicI64>) -> Self {
        Self {
            places: Semaphore::new(MOST),
            pool: Arc::new(Pool {
                file,
                limits,
                last_row,
                state: Mutex::default(),
            }),
        }
    }

    /// Runs a request on what is committed now, when it only reads.
    pub async fn run(&self, request: Request) -> Read {
        if !may_only_read(&request) {
            return Read::Writes(request);
        }
        let done = self.with(move |session| {
            Ok(match read(session, &request) {
                Ok(answer) => Read::Answered(Ok(answer)),
                Err(Stop::Failed(failure)) => Read::Answered(Err(failure)),
                Err(Stop::Writes) => Read::Writes(request),
            })
        });
        done.await.unwrap_or_else(|failure| Read::Answered(Err(failure)))
    }

    /// The bytes of the database.
    pub async fn dump(&self) -> Answer {
        self.with(|session| {
            let rules = session.rules.clone();
            let whole = rules.trusted(|| session.connection.serialize("main").map(|bytes| bytes.to_vec()));
            whole.map_err(|error| session.failure(error))
        })
        .await
    }

    /// Ends what is running.
    pub fn interrupt(&self) {
        self.pool.state().deadlines.iter().for_each(Deadline::interrupt);
    }

    /// Closes the connections, those that are at work when they are done.
    pub fn close(&self) {
        let mut state = self.pool.state();
        state.is_closed = true;
        state.idle.clear();
    }

    /// Runs work with a connection, on a thread for it.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|error| Failure::refused(codes::INTERNAL, error))?;
        let pool = self.pool.clone();
        blocking(move || {
            let mut session = pool.take()?;
            let result = work(&mut session);
            pool.put_back(session);
            result
        })
        .await
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Session, Failure> {
        if let Some(session) = self.state().idle.pop() {
            return Ok(session);
        }
        let session = Session::open(&self.file, Role::Reader(self.last_row.clone()), &self.limits)?;
        self.state().deadlines.push(session.deadline.clone());
        Ok(session)
    }

    fn put_back(&self, session: Session) {
        let mut state = self.state();
        // A transaction that could not be ended would hold its snapshot for ever.
        if !state.is_closed && session.connection.is_autocommit() {
            state.idle.push(session);
        }
    }
}

/// By the first words; what it is for certain is known when it is prepared.
fn may_only_read(request: &Request) -> bool {
    request
        .first_words()
        .all(|word| matches!(word.as_str(), "EXPLAIN" | "PRAGMA" | "SELECT" | "VALUES" | "WITH"))
}

fn read(session: &Session, request: &Request) -> Result<Vec<u8>, Stop> {
    session.execute("BEGIN").map_err(Stop::Failed)?;
    let answer = run(session, request, true);
    if !session.connection.is_autocommit() {
        session.execute("ROLLBACK").map_err(Stop::Failed)?;
    }
    answer
}
