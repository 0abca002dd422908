//! The one thread that writes a database.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use lunora_diagnostics::codes;
use tokio::sync::{mpsc, oneshot};

use super::blocking;
use super::deadline::Deadline;
use super::group::{Answer, commit};
use super::session::Session;
use crate::failure::Failure;
use crate::request::Request;

/// Requests that wait before more have to wait to wait.
const QUEUE: usize = 1024;

struct Job {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

/// See the module. What waits when it is dropped is still run.
pub(crate) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    deadline: Deadline,
}

impl Writer {
    /// Gives the connection a thread; at most `most` requests share a commit.
    pub fn start(session: Session, most: usize) -> Result<Self, Failure> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let deadline = session.deadline.clone();
        let thread = std::thread::Builder::new()
            .name("lunora-d1".to_owned())
            .spawn(move || write(&session, receiver, most.max(1)))
            .map_err(|error| Failure::refused(codes::INTERNAL, format_args!("no thread to write with ({error})")))?;
        Ok(Self {
            jobs: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            deadline,
        })
    }

    /// Resolves when the request is durable, or has failed and left nothing.
    pub async fn run(&self, request: Request) -> Answer {
        let closed = || Failure::refused(codes::INTERNAL, "the database is closing; ask again");
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        let job = Job { request, answer };
        jobs.ok_or_else(closed)?.send(job).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Ends what is running and what waits.
    pub fn interrupt(&self) {
        self.deadline.interrupt();
    }

    /// Runs what waits, and closes the file.
    pub async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        let ended = blocking(move || {
            thread
                .join()
                .map_err(|_| Failure::refused(codes::INTERNAL, "the thread that writes broke down"))
        });
        if let Err(failure) = ended.await {
            tracing::error!("a database was not closed: {}", failure.text);
        }
    }
}

fn write(session: &Session, mut jobs: mpsc::Receiver<Job>, most: usize) {
    while let Some(first) = jobs.blocking_recv() {
        let mut waiting = vec![first];
        while waiting.len() < most
            && let Ok(next) = jobs.try_recv()
        {
            waiting.push(next);
        }
        // Who went away meanwhile was promised nothing.
        waiting.retain(|job| !job.answer.is_closed());
        while !waiting.is_empty() {
            let requests: Vec<&Request> = waiting.iter().map(|job| &job.request).collect();
            let answers = commit(session, &requests);
            for (job, answer) in waiting.drain(..answers.len()).zip(answers) {
                // An error is a client that went away.
                drop(job.answer.send(answer));
            }
        }
    }
}
