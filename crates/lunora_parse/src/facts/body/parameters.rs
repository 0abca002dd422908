//! The parameters of a function, bound to what it is called with.

use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::Walker;
use super::steps::root;
use crate::facts::{Root, Tracked};

/// A function that takes any number of arguments is followed for so many.
const MAX_PARAMETERS: usize = 16;

/// The parameters that there are when it runs: `this` is one for the type checker only.
pub(in crate::facts) fn parameters_of(function: &ast::Function) -> Vec<&ast::Pat> {
    let is_this = |pattern: &ast::Pat| matches!(pattern, ast::Pat::Ident(name) if &*name.sym == "this");
    function
        .params
        .iter()
        .map(|parameter| &parameter.pat)
        .filter(|pattern| !is_this(pattern))
        .collect()
}

/// A parameter as the function that has it sees it.
pub(in crate::facts) fn parameter_value(index: usize) -> Tracked {
    root(Root::Parameter(u16::try_from(index).unwrap_or(u16::MAX)))
}

impl<'ast> Walker<'_, 'ast> {
    /// Binds the parameters of a function to what it is called with.
    pub(super) fn bind_arguments(&mut self, parameters: &[&'ast ast::Pat], arguments: &[Tracked]) {
        for (index, parameter) in parameters.iter().enumerate() {
            let value = arguments.get(index).unwrap_or(&Tracked::Unknown).clone();
            self.bind(parameter, &value);
        }
        if let Some(rest @ ast::Pat::Rest(_)) = parameters.last() {
            for value in arguments.iter().skip(parameters.len()) {
                self.escape_at(value.clone(), self.positions.span(rest.span()));
            }
        }
    }

    /// Binds the parameters of a function whose callers are not known yet.
    pub(in crate::facts) fn parameters(&mut self, parameters: &[&'ast ast::Pat]) {
        let count = match parameters.last() {
            Some(ast::Pat::Rest(_)) => MAX_PARAMETERS,
            _ => parameters.len(),
        };
        let values: Vec<Tracked> = (0..count).map(parameter_value).collect();
        self.bind_arguments(parameters, &values);
    }

    /// `arguments` holds whatever the function was called with.
    pub(super) fn all_arguments_escape(&mut self, span: lunora_diagnostics::Span) {
        for index in 0..MAX_PARAMETERS {
            self.escape_at(parameter_value(index), span);
        }
    }
}
