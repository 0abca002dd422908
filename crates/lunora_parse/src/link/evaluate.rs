//! Reading expressions without running them.

mod arguments;
mod arithmetic;
mod callables;
mod calls;
mod collections;
mod describe;
mod expressions;
mod members;
mod names;

pub(super) use describe::describe;

use lunora_diagnostics::{Code, Diagnostic, codes};
use rustc_hash::FxHashMap;

use super::modules::{FileIndex, Modules};
use super::value::{Place, Placed, Value};
use crate::facts::{Expression, Name};

/// Constants may lead to constants this far.
const MAX_DEPTH: u32 = 200;

/// An expression could not be read; the reason has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop;

pub(super) type Read<T> = Result<T, Stop>;

/// The parameter of a lambda that is being read.
#[derive(Clone)]
struct Scope {
    name: Name,
    value: Value,
}

#[derive(Clone)]
enum Memo {
    /// Being read: meeting it again is a circle.
    Open,
    Done(Read<Value>),
}

/// Reads expressions of the app's files and keeps what it found wrong.
pub(super) struct Evaluator<'modules> {
    pub(super) modules: &'modules Modules,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Files that were looked at; what was read depends on them.
    pub(super) asked: Vec<FileIndex>,
    memo: FxHashMap<(FileIndex, Name), Memo>,
    /// What was put into `memo`, in order, so that a quiet look can be taken back.
    journal: Vec<(FileIndex, Name)>,
    scope: Option<Scope>,
    depth: u32,
}

impl<'modules> Evaluator<'modules> {
    pub(super) fn new(modules: &'modules Modules) -> Self {
        Self {
            modules,
            diagnostics: Vec::new(),
            asked: Vec::new(),
            memo: FxHashMap::default(),
            journal: Vec::new(),
            scope: None,
            depth: 0,
        }
    }

    pub(super) fn report(&mut self, code: Code, place: Place, message: impl Into<String>, help: impl Into<String>) {
        let path = self.modules.path(place.file);
        self.diagnostics
            .push(Diagnostic::error(code, message).at(path, place.span).with_help(help));
    }

    pub(super) fn stop<T>(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Read<T> {
        self.report(code, place, message, help);
        Err(Stop)
    }

    fn not_static<T>(&mut self, place: Place, what: &str, why: &str, help: &str) -> Read<T> {
        self.stop(
            codes::NOT_STATIC,
            place,
            format!("{what} cannot be read without running it: {why}"),
            help,
        )
    }

    pub(super) fn place(&self, file: FileIndex, expression: &Expression) -> Place {
        Place {
            file,
            span: expression.span,
        }
    }

    pub(super) fn placed(&mut self, file: FileIndex, expression: &Expression) -> Read<Placed> {
        let value = self.read(file, expression)?;
        Ok(Placed {
            value,
            place: self.place(file, expression),
        })
    }

    pub(super) fn read(&mut self, file: FileIndex, expression: &Expression) -> Read<Value> {
        self.depth += 1;
        let value = if self.depth > MAX_DEPTH {
            let place = self.place(file, expression);
            self.not_static(
                place,
                &describe(expression),
                "it leads through too many constants",
                "Write the value in place.",
            )
        } else {
            self.read_kind(file, expression)
        };
        self.depth -= 1;
        value
    }

    /// Reads without reporting; `None` when it cannot be read.
    pub(super) fn quietly(&mut self, file: FileIndex, expression: &Expression) -> Option<Value> {
        let before = self.diagnostics.len();
        let journal = self.journal.len();
        let value = self.read(file, expression).ok();
        if self.diagnostics.len() > before {
            // What failed quietly must be reported when it is read for real.
            self.diagnostics.truncate(before);
            for key in self.journal.drain(journal..) {
                self.memo.remove(&key);
            }
        }
        value
    }
}
