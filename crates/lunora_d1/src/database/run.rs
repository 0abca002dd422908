//! Runs a request's statements within a transaction that somebody else began.

use std::time::Instant;

use rusqlite::StatementStatus;

use super::meta::Meta;
use super::rows::Rows;
use super::session::Session;
use crate::failure::Failure;
use crate::request::{Parameter, Query, Request, RowsFormat};
use crate::sql_text::first_word;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(Failure),
    /// A reader was given what only the writer may run; it changed nothing.
    Writes,
}

/// Runs all statements; the answer is a JSON array with one member a query.
pub(crate) fn run(session: &Session, request: &Request, only_reads: bool) -> Result<Vec<u8>, Stop> {
    session.deadline.set(session.limits.query_time);
    session.rules.take_needs_writer();
    let mut run = Run {
        session,
        format: request.format,
        only_reads,
        size: session.size().map_err(Stop::Failed)?,
        out: vec![b'['],
    };
    for (index, query) in request.queries.iter().enumerate() {
        if index > 0 {
            run.out.push(b',');
        }
        run.query(query)?;
    }
    run.out.push(b']');
    Ok(run.out)
}

struct Run<'a> {
    session: &'a Session,
    format: RowsFormat,
    only_reads: bool,
    /// Bytes of the database now.
    size: i64,
    out: Vec<u8>,
}

/// What a statement did.
struct Ran {
    rows_read: u64,
    may_have_written: bool,
}

impl Run<'_> {
    fn query(&mut self, query: &Query) -> Result<(), Stop> {
        let began = Instant::now();
        let connection = &self.session.connection;
        let (changes, last_row_id, size) = (connection.total_changes(), self.session.last_row_id(), self.size);
        self.out.extend_from_slice(b"{\"success\":true,\"results\":");
        let mut rows_read = 0;
        let last = query.statements.len() - 1;
        for (index, range) in query.statements.iter().enumerate() {
            let parameters = (index == last).then_some(&query.parameters[..]);
            let ran = self.statement(&query.text[range.clone()], parameters)?;
            rows_read += ran.rows_read;
            if ran.may_have_written {
                self.size = self.session.size().map_err(Stop::Failed)?;
            }
        }
        let changes = connection.total_changes() - changes;
        let last_row_id_after = self.session.last_row_id();
        let mut meta = Meta::lasting(began.elapsed());
        meta.changes = changes;
        meta.last_row_id = last_row_id_after;
        meta.changed_db = changes > 0 || last_row_id_after != last_row_id || self.size != size;
        meta.size_after = self.size;
        meta.rows_read = rows_read;
        meta.rows_written = changes;
        self.out.extend_from_slice(b",\"meta\":");
        meta.write(&mut self.out);
        self.out.push(b'}');
        Ok(())
    }

    /// Runs one statement. The last of a query has its parameters, and gives its rows.
    fn statement(&mut self, text: &str, last: Option<&[Parameter]>) -> Result<Ran, Stop> {
        let session = self.session;
        let failed = |error: rusqlite::Error| Stop::Failed(session.failure(error));
        refuse_transaction(text).map_err(Stop::Failed)?;
        let mut statement = session.connection.prepare(text).map_err(failed)?;
        let may_have_written = !statement.readonly();
        if self.only_reads && (may_have_written || session.rules.take_needs_writer()) {
            return Err(Stop::Writes);
        }
        let parameters = last.unwrap_or_default();
        let asked = statement.parameter_count();
        if asked != parameters.len() {
            return Err(Stop::Failed(miscounted(asked, parameters.len(), last.is_some())));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, parameter).map_err(failed)?;
        }
        let mut answered = 0;
        if last.is_some() {
            let most = session.limits.answer_bytes;
            let mut rows = Rows::begin(&mut self.out, most, self.format, statement.column_names());
            let mut found = statement.raw_query();
            while let Some(row) = found.next().map_err(failed)? {
                rows.row(row).map_err(Stop::Failed)?;
                answered += 1;
            }
            rows.end();
        } else {
            let mut found = statement.raw_query();
            while found.next().map_err(failed)?.is_some() {}
        }
        let scanned = u64::try_from(statement.get_status(StatementStatus::FullscanStep)).unwrap_or_default();
        Ok(Ran {
            rows_read: scanned.max(answered),
            may_have_written,
        })
    }
}

/// The request is the transaction.
fn refuse_transaction(text: &str) -> Result<(), Failure> {
    let word = first_word(text);
    if !matches!(
        word.as_str(),
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE"
    ) {
        return Ok(());
    }
    Err(Failure::statement(format_args!(
        "`{word}` is refused because each request is a transaction already; put the statements into one `batch([…])`"
    )))
}

fn miscounted(asked: usize, bound: usize, is_last: bool) -> Failure {
    if is_last {
        Failure::statement(format_args!(
            "Wrong number of parameters: the statement has {asked} and {bound} were bound"
        ))
    } else {
        Failure::statement(format_args!(
            "a statement before the last has {asked} parameters, and only the last of a text may have some"
        ))
    }
}
