//! Functions inside the one being walked: their bodies are walked where they are called.

use swc_core::ecma::ast;

use super::parameters::parameters_of;
use super::{Body, Bound, Walker};
use crate::facts::{Name, Tracked};

/// How often the local functions of one function are walked again for the arguments of a call.
const MAX_INLINED_CALLS: u32 = 64;

/// How deep such walks nest.
const MAX_INLINE_DEPTH: u32 = 8;

/// A function declared inside the one being walked.
#[derive(Clone)]
pub(super) struct LocalFunction<'ast> {
    pub(super) parameters: Vec<&'ast ast::Pat>,
    pub(super) body: Body<'ast>,
    /// How many names were in scope where it was declared.
    pub(super) visible: usize,
    pub(super) walked: bool,
    pub(super) active: bool,
    /// Its `this` is that of the function around it.
    pub(super) is_arrow: bool,
}

pub(super) enum Inline<'ast> {
    Arrow(&'ast ast::ArrowExpr),
    Function(&'ast ast::Function),
}

impl<'ast> Walker<'_, 'ast> {
    pub(super) fn declare(&mut self, identifier: &ast::Ident, function: &'ast ast::Function) {
        let Some(body) = &function.body else { return };
        let parameters = parameters_of(function);
        self.local(identifier.sym.clone(), parameters, Body::Statements(&body.stmts), false);
    }

    pub(super) fn local(&mut self, name: Name, parameters: Vec<&'ast ast::Pat>, body: Body<'ast>, is_arrow: bool) {
        let index = self.locals.len();
        self.locals.push(LocalFunction {
            parameters,
            body,
            visible: self.scope.len() + 1,
            walked: false,
            active: false,
            is_arrow,
        });
        self.scope.push((name, Bound::Function(index)));
    }

    /// Walks the body of a local function with its parameters bound to the given values.
    pub(super) fn enter(&mut self, index: usize, arguments: &[Tracked]) -> bool {
        let local = &mut self.locals[index];
        if local.active {
            return true;
        }
        if self.inlined >= MAX_INLINED_CALLS || self.depth >= MAX_INLINE_DEPTH {
            return false;
        }
        local.walked = true;
        local.active = true;
        let (parameters, body, visible) = (local.parameters.clone(), local.body, local.visible);
        let this = if local.is_arrow {
            self.this.clone()
        } else {
            self.this.take()
        };
        self.inlined += 1;
        self.depth += 1;
        // Names declared later in the enclosing scopes are visible too by the time it runs; those
        // of an unrelated inner scope are not, but shadowing there is rare and only adds findings.
        let mark = self.scope.len().max(visible);
        self.bind_arguments(&parameters, arguments);
        self.body(body);
        self.leave(mark.min(self.scope.len()));
        self.this = this;
        self.depth -= 1;
        self.locals[index].active = false;
        true
    }

    /// A function written in place, run with the given arguments.
    pub(super) fn inline(&mut self, function: Inline<'ast>, arguments: &[Tracked]) {
        let mark = self.scope.len();
        match function {
            Inline::Arrow(arrow) => {
                let parameters: Vec<&ast::Pat> = arrow.params.iter().collect();
                self.bind_arguments(&parameters, arguments);
                match &*arrow.body {
                    ast::ArrowFunctionBody::Expr(expr) => {
                        let value = self.value(expr);
                        self.escape(value, expr);
                    }
                    ast::ArrowFunctionBody::FunctionBody(body) => self.statements(&body.stmts),
                }
            }
            Inline::Function(function) => {
                let this = self.this.take();
                self.bind_arguments(&parameters_of(function), arguments);
                if let Some(body) = &function.body {
                    self.statements(&body.stmts);
                }
                self.leave(mark);
                self.this = this;
                return;
            }
        }
        self.leave(mark);
    }
}
