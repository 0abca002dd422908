//! What a file reads from the Worker's environment, wherever it got it from.

use lunora_diagnostics::Span;
use serde::Serialize;
use swc_core::common::Spanned;
use swc_core::ecma::ast;
use swc_core::ecma::visit::{Visit, VisitWith};

use super::Name;
use super::expression::{strip_types, text};
use crate::position::Positions;

/// What environments are called, by the platform and in the types of handlers.
const ENVIRONMENT: &str = "env";

/// One property of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EnvironmentRead {
    pub(crate) name: Name,
    pub(crate) span: Span,
}

/// Finds them all; a file that never says `env` is not looked through.
pub(super) fn environment_reads(module: &ast::Module, positions: Positions<'_>) -> Vec<EnvironmentRead> {
    if !positions.parsed().contains(ENVIRONMENT) {
        return Vec::new();
    }
    let mut reader = Reader {
        positions,
        reads: Vec::new(),
    };
    module.visit_with(&mut reader);
    reader.reads
}

struct Reader<'source> {
    positions: Positions<'source>,
    reads: Vec<EnvironmentRead>,
}

impl Reader<'_> {
    fn read(&mut self, name: Name, span: swc_core::common::Span) {
        let span = self.positions.span(span);
        self.reads.push(EnvironmentRead { name, span });
    }

    /// `{ SHARD, OTHER: name } = env`
    fn pattern(&mut self, pattern: &ast::ObjectPat) {
        for property in &pattern.props {
            match property {
                ast::ObjectPatProp::KeyValue(pair) => {
                    if let Some(name) = key(&pair.key) {
                        self.read(name, pair.key.span());
                    }
                }
                ast::ObjectPatProp::Assign(assign) => self.read(assign.key.sym.clone(), assign.key.span),
                ast::ObjectPatProp::Rest(_) => {}
            }
        }
    }
}

impl Visit for Reader<'_> {
    fn visit_member_expr(&mut self, member: &ast::MemberExpr) {
        if is_environment(&member.obj) {
            match &member.prop {
                ast::MemberProp::Ident(name) => self.read(name.sym.clone(), member.span),
                ast::MemberProp::Computed(computed) => {
                    if let ast::Expr::Lit(ast::Lit::Str(string)) = strip_types(&computed.expr) {
                        self.read(text(&string.value), member.span);
                    }
                }
                ast::MemberProp::PrivateName(_) => {}
            }
        }
        member.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, declarator: &ast::VarDeclarator) {
        if let (ast::Pat::Object(pattern), Some(value)) = (&declarator.name, &declarator.init)
            && is_environment(value)
        {
            self.pattern(pattern);
        }
        declarator.visit_children_with(self);
    }

    /// `({ env: { SHARD } }) => …`
    fn visit_key_value_pat_prop(&mut self, property: &ast::KeyValuePatProp) {
        if let ast::Pat::Object(pattern) = &*property.value
            && key(&property.key).is_some_and(|name| &*name == ENVIRONMENT)
        {
            self.pattern(pattern);
        }
        property.visit_children_with(self);
    }
}

fn key(name: &ast::PropName) -> Option<Name> {
    match name {
        ast::PropName::Ident(name) => Some(name.sym.clone()),
        ast::PropName::Str(string) => Some(text(&string.value)),
        _ => None,
    }
}

/// `env`, `ctx.env`, `this.env`
fn is_environment(expr: &ast::Expr) -> bool {
    match strip_types(expr) {
        ast::Expr::Ident(name) => &*name.sym == ENVIRONMENT,
        ast::Expr::Member(member) => {
            matches!(&member.prop, ast::MemberProp::Ident(name) if &*name.sym == ENVIRONMENT)
        }
        ast::Expr::OptChain(chain) => match &*chain.base {
            ast::OptChainBase::Member(member) => {
                matches!(&member.prop, ast::MemberProp::Ident(name) if &*name.sym == ENVIRONMENT)
            }
            ast::OptChainBase::Call(_) => false,
        },
        _ => false,
    }
}
