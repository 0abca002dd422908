//! Functions of a file, each walked into facts of its own.

use swc_core::ecma::ast;

use super::parameters::parameters_of;
use super::{Body, Walker};
use crate::facts::FunctionFacts;
use crate::facts::collect::Collector;
use crate::facts::expression::strip_types;

/// A function that makes a function that makes a function is followed this far.
const MAX_MAKERS: u32 = 3;

impl Collector<'_> {
    pub(in crate::facts) fn arrow(&mut self, arrow: &ast::ArrowExpr) -> u32 {
        let parameters: Vec<&ast::Pat> = arrow.params.iter().collect();
        let body = match &*arrow.body {
            ast::ArrowFunctionBody::Expr(expr) => Body::Expression(expr),
            ast::ArrowFunctionBody::FunctionBody(body) => Body::Statements(&body.stmts),
        };
        self.analyze(arrow.span, &parameters, body)
    }

    pub(in crate::facts) fn function(&mut self, function: &ast::Function) -> u32 {
        let parameters = parameters_of(function);
        let body = function
            .body
            .as_ref()
            .map_or(Body::Statements(&[]), |body| Body::Statements(&body.stmts));
        self.analyze(function.span, &parameters, body)
    }

    fn analyze(&mut self, span: swc_core::common::Span, parameters: &[&ast::Pat], body: Body<'_>) -> u32 {
        // A function made by a function (`const guard = (role) => async ({ ctx, next }) => …`) gets
        // facts of its own: whoever receives it calls it with values of its own.
        self.makers += 1;
        let returns_function = returned_function(body)
            .filter(|_| self.makers <= MAX_MAKERS)
            .map(|returned| match returned {
                Returned::Arrow(arrow) => self.arrow(arrow),
                Returned::Function(function) => self.function(function),
            });
        self.makers -= 1;
        let mut walker = Walker::new(self.positions, None);
        walker.parameters(parameters);
        walker.body(body);
        self.finish(span, walker, returns_function)
    }

    /// Keeps what a walker found as the facts of a function.
    pub(in crate::facts) fn finish(
        &mut self,
        span: swc_core::common::Span,
        mut walker: Walker<'_, '_>,
        returns_function: Option<u32>,
    ) -> u32 {
        walker.leave(0);
        let facts = FunctionFacts {
            span: self.span(span),
            events: walker.events,
            returns_function,
            constructions: walker.constructions,
            moments: walker.moments,
        };
        self.facts.functions.push(facts);
        u32::try_from(self.facts.functions.len() - 1).unwrap_or(u32::MAX)
    }
}

enum Returned<'ast> {
    Arrow(&'ast ast::ArrowExpr),
    Function(&'ast ast::Function),
}

fn returned_function(body: Body<'_>) -> Option<Returned<'_>> {
    let expr = match body {
        Body::Expression(expr) => expr,
        Body::Statements(statements) => match statements.last()? {
            ast::Stmt::Return(statement) => statement.arg.as_deref()?,
            _ => return None,
        },
    };
    match strip_types(expr) {
        ast::Expr::Arrow(arrow) => Some(Returned::Arrow(arrow)),
        ast::Expr::Fn(function) => Some(Returned::Function(&function.function)),
        _ => None,
    }
}
