//! Group commit: many requests, one write of the disk.
//!
//! Each request of a group runs in a savepoint, so that one that fails takes nothing of the others with it; all are
//! answered after the commit. Where a commit fails, or a statement ends the whole transaction (`ON CONFLICT ROLLBACK`, a
//! full disk), everything is run again, each request in a transaction of its own: nobody was answered yet, and each is
//! then answered for itself.

use std::time::{Duration, Instant};

use super::run::{Stop, run};
use super::session::Session;
use crate::failure::Failure;
use crate::request::Request;

/// A group that has run for so long is committed before the next request.
const LONGEST: Duration = Duration::from_millis(25);

pub(crate) type Answer = Result<Vec<u8>, Failure>;

/// Runs some of the requests, the first one at least, and makes them durable; the answers are in their order.
pub(crate) fn commit(session: &Session, requests: &[&Request]) -> Vec<Answer> {
    let length = requests.iter().take_while(|request| may_share(request)).count();
    let answers = if length < 2 || !matches!(session.has_deferrable(), Ok(false)) {
        requests
            .first()
            .map(|request| alone(session, request))
            .into_iter()
            .collect()
    } else {
        let requests = &requests[..length];
        together(session, requests).unwrap_or_else(|| requests.iter().map(|request| alone(session, request)).collect())
    };
    session.tell_last_row();
    answers
}

/// Whether a request has statements only that end within their savepoint: not what changes the schema or a setting.
fn may_share(request: &Request) -> bool {
    request.first_words().all(|word| {
        matches!(
            word.as_str(),
            "DELETE" | "EXPLAIN" | "INSERT" | "REPLACE" | "SELECT" | "UPDATE" | "VALUES" | "WITH"
        )
    })
}

fn together(session: &Session, requests: &[&Request]) -> Option<Vec<Answer>> {
    if let Err(failure) = session.execute("BEGIN IMMEDIATE") {
        // Another process has the lock: each of them would wait for it again.
        return Some(requests.iter().map(|_| Err(failure.clone())).collect());
    }
    let began = Instant::now();
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = within_savepoint(session, request);
        if session.connection.is_autocommit() {
            return None;
        }
        answers.push(answer);
        if began.elapsed() > LONGEST {
            break;
        }
    }
    if session.execute("COMMIT").is_err() {
        leave(session);
        return None;
    }
    Some(answers)
}

fn within_savepoint(session: &Session, request: &Request) -> Answer {
    session.execute("SAVEPOINT request")?;
    match answer(session, request) {
        Ok(answer) => {
            session.execute("RELEASE request")?;
            Ok(answer)
        }
        Err(failure) => {
            if !session.connection.is_autocommit() {
                session.execute("ROLLBACK TO request; RELEASE request")?;
            }
            Err(failure)
        }
    }
}

fn alone(session: &Session, request: &Request) -> Answer {
    session.execute("BEGIN IMMEDIATE")?;
    let answer = answer(session, request).and_then(|answer| {
        session.execute("COMMIT")?;
        Ok(answer)
    });
    leave(session);
    session.forget_settings()?;
    answer
}

fn answer(session: &Session, request: &Request) -> Answer {
    run(session, request, false).map_err(|stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::Writes => Failure::statement("the writer was taken for a reader"),
    })
}

/// Undoes what was neither committed nor undone by SQLite itself.
fn leave(session: &Session) {
    if !session.connection.is_autocommit()
        && let Err(failure) = session.execute("ROLLBACK")
    {
        tracing::error!("a transaction could not be undone: {}", failure.text);
    }
}

#[cfg(test)]
mod tests;
