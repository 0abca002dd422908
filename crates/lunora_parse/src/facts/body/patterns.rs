//! Patterns: the names that they bind to the parts of a value.

use swc_core::ecma::ast;

use super::steps::{element_step, step};
use super::{Bound, Walker};
use crate::facts::Tracked;
use crate::facts::expression::{strip_types, text};

impl<'ast> Walker<'_, 'ast> {
    /// Binds the names of a pattern to the parts of a value.
    pub(in crate::facts) fn bind(&mut self, pattern: &'ast ast::Pat, value: &Tracked) {
        match pattern {
            ast::Pat::Ident(identifier) => {
                self.scope.push((identifier.sym.clone(), Bound::Value(value.clone())));
            }
            ast::Pat::Object(object) => {
                for property in &object.props {
                    match property {
                        ast::ObjectPatProp::KeyValue(pair) => {
                            let part = match &pair.key {
                                ast::PropName::Ident(name) => {
                                    self.looked_at(value, &name.sym, name.span);
                                    step(value, &name.sym)
                                }
                                ast::PropName::Str(string) => step(value, &text(&string.value)),
                                ast::PropName::Computed(computed) => match self.value(&computed.expr) {
                                    Tracked::String(name) => step(value, &name),
                                    _ => Tracked::Unknown,
                                },
                                _ => Tracked::Unknown,
                            };
                            self.bind(&pair.value, &part);
                        }
                        ast::ObjectPatProp::Assign(shorthand) => {
                            if let Some(default) = &shorthand.value {
                                self.value(default);
                            }
                            self.looked_at(value, &shorthand.key.sym, shorthand.key.span);
                            let part = step(value, &shorthand.key.sym);
                            self.scope.push((shorthand.key.sym.clone(), Bound::Value(part)));
                        }
                        // What is left holds the same handles under the same names.
                        ast::ObjectPatProp::Rest(rest) => self.bind(&rest.arg, value),
                    }
                }
            }
            ast::Pat::Array(array) => {
                let element = step(value, &element_step());
                for pattern in array.elems.iter().flatten() {
                    self.bind(pattern, &element);
                }
            }
            ast::Pat::Rest(rest) => {
                self.escape_at(value.clone(), self.positions.span(rest.span));
                self.bind(&rest.arg, &Tracked::Unknown);
            }
            ast::Pat::Assign(assign) => {
                self.value(&assign.right);
                self.bind(&assign.left, value);
            }
            ast::Pat::Invalid(_) | ast::Pat::Expr(_) => {}
        }
    }

    /// Binds the names that an assignment to a pattern changes.
    pub(super) fn assign_pattern(&mut self, pattern: &'ast ast::Pat, value: &Tracked) {
        match pattern {
            ast::Pat::Ident(identifier) => self.assign_name(&identifier.sym, value.clone()),
            ast::Pat::Expr(expr) => match strip_types(expr) {
                ast::Expr::Ident(identifier) => self.assign_name(&identifier.sym, value.clone()),
                ast::Expr::Member(member) => self.assign_member(member, value.clone(), expr),
                _ => self.escape(value.clone(), expr),
            },
            other => self.bind(other, value),
        }
    }
}
