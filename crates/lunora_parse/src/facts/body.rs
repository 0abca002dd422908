//! What a function does with its parameters: the calls they take part in and where they leave sight.
//!
//! Values are followed by name through constants, destructuring, nested functions and object
//! literals. Nothing is decided here about what a parameter *is*; that depends on who calls the
//! function and is known when files are linked.

mod assignments;
mod calls;
mod classes;
mod escapes;
mod expressions;
mod function_facts;
mod jsx;
mod local_functions;
mod moments;
mod objects;
mod parameters;
mod patterns;
mod relations;
mod statements;
mod steps;

pub(super) use parameters::{parameter_value, parameters_of};
pub(super) use steps::private;

use swc_core::ecma::ast;

use super::{Construction, Event, Moment, Name, Root, Tracked};
use crate::position::Positions;
use local_functions::LocalFunction;
use steps::root;

#[derive(Clone, Copy)]
pub(super) enum Body<'ast> {
    Expression(&'ast ast::Expr),
    Statements(&'ast [ast::Stmt]),
}

#[derive(Clone)]
enum Bound {
    /// `let name;`
    Unset,
    Value(Tracked),
    Function(usize),
}

pub(super) struct Walker<'source, 'ast> {
    positions: Positions<'source>,
    events: Vec<Event>,
    constructions: Vec<Construction>,
    moments: Vec<Moment>,
    /// What `this` is, where that is tracked.
    this: Option<Tracked>,
    /// What a constructor assigns to `this`; `None` elsewhere.
    pub(super) fields: Option<Vec<(Name, Tracked)>>,
    /// Names in scope, innermost last.
    scope: Vec<(Name, Bound)>,
    locals: Vec<LocalFunction<'ast>>,
    inlined: u32,
    depth: u32,
}

impl<'source, 'ast> Walker<'source, 'ast> {
    /// `this` is a root when the function is a method.
    pub(super) fn new(positions: Positions<'source>, this: Option<Root>) -> Self {
        Self {
            positions,
            events: Vec::new(),
            constructions: Vec::new(),
            moments: Vec::new(),
            this: this.map(root),
            fields: None,
            scope: Vec::new(),
            locals: Vec::new(),
            inlined: 0,
            depth: 0,
        }
    }

    pub(super) fn body(&mut self, body: Body<'ast>) {
        match body {
            Body::Expression(expr) => {
                let value = self.value(expr);
                // A returned function is analysed on its own as well.
                self.escape(value, expr);
            }
            Body::Statements(statements) => self.statements(statements),
        }
    }

    pub(super) fn leave(&mut self, mark: usize) {
        // A local function that nobody called by name may still run: as a callback, say.
        let locals: Vec<usize> = self.scope[mark..]
            .iter()
            .filter_map(|(_, bound)| match bound {
                Bound::Function(index) => Some(*index),
                Bound::Value(_) | Bound::Unset => None,
            })
            .collect();
        for index in locals {
            if !self.locals[index].walked {
                self.enter(index, &[]);
            }
        }
        self.scope.truncate(mark);
    }

    fn lookup(&self, name: &Name) -> Option<&Bound> {
        self.scope
            .iter()
            .rev()
            .find(|(bound, _)| bound == name)
            .map(|(_, bound)| bound)
    }
}
