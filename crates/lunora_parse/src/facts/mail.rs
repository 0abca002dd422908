//! Where a file makes a mailer or hands inbound mail on, and which jurisdiction it names there.

use lunora_diagnostics::Span;
use lunora_ir::StatedJurisdiction;
use rustc_hash::FxHashMap;
use serde::Serialize;
use swc_core::common::Spanned;
use swc_core::ecma::ast;
use swc_core::ecma::visit::{Visit, VisitWith};

use super::expression::{strip_types, text};
use super::{Import, Imported, Name};
use crate::position::Positions;

/// The entry points that take a `jurisdiction`, and which of their arguments holds it.
const ENTRY_POINTS: [(&str, usize); 2] = [("createMailerFromEnv", 1), ("dispatchToLunoraFunction", 0)];

/// The option.
const JURISDICTION: &str = "jurisdiction";

/// A call of an entry point of the mail package.
#[derive(Debug, Serialize)]
pub(crate) struct MailCall {
    pub(crate) name: &'static str,
    /// The callee.
    pub(crate) span: Span,
    pub(crate) jurisdiction: StatedJurisdiction,
}

/// Finds them all; a file that imports none of them is not looked through.
pub(super) fn mail_calls(
    module: &ast::Module,
    imports: &FxHashMap<Name, Import>,
    positions: Positions<'_>,
) -> Vec<MailCall> {
    if !imports.values().any(|import| is_mail(&import.specifier)) {
        return Vec::new();
    }
    let mut reader = Reader {
        imports,
        positions,
        calls: Vec::new(),
    };
    module.visit_with(&mut reader);
    reader.calls
}

/// `lunorash/mail`, `@lunora/mail/inbound`
fn is_mail(specifier: &str) -> bool {
    ["lunorash/mail", "@lunora/mail"].iter().any(|package| {
        specifier
            .strip_prefix(package)
            .is_some_and(|rest| rest.is_empty() || rest == "/inbound")
    })
}

struct Reader<'source> {
    imports: &'source FxHashMap<Name, Import>,
    positions: Positions<'source>,
    calls: Vec<MailCall>,
}

impl Reader<'_> {
    /// The entry point that is called, if it is one.
    fn entry_point(&self, callee: &ast::Expr) -> Option<(&'static str, usize)> {
        let name = match strip_types(callee) {
            ast::Expr::Ident(local) => match &self.import(local)?.imported {
                Imported::Named(name) => name,
                Imported::Namespace => return None,
            },
            ast::Expr::Member(member) => match (strip_types(&member.obj), &member.prop) {
                (ast::Expr::Ident(local), ast::MemberProp::Ident(name))
                    if self.import(local)?.imported == Imported::Namespace =>
                {
                    &name.sym
                }
                _ => return None,
            },
            _ => return None,
        };
        ENTRY_POINTS.into_iter().find(|(entry, _)| *entry == &**name)
    }

    fn import(&self, local: &ast::Ident) -> Option<&Import> {
        self.imports.get(&local.sym).filter(|import| is_mail(&import.specifier))
    }
}

impl Visit for Reader<'_> {
    fn visit_call_expr(&mut self, call: &ast::CallExpr) {
        if let ast::Callee::Expr(callee) = &call.callee
            && let Some((name, position)) = self.entry_point(callee)
        {
            self.calls.push(MailCall {
                name,
                span: self.positions.span(callee.span()),
                jurisdiction: stated(&call.args, position),
            });
        }
        call.visit_children_with(self);
    }
}

/// What the options say, as far as they are written in place.
fn stated(arguments: &[ast::ExprOrSpread], position: usize) -> StatedJurisdiction {
    let before = arguments.iter().take(position + 1);
    if before.into_iter().any(|argument| argument.spread.is_some()) {
        return StatedJurisdiction::Unseen;
    }
    let Some(argument) = arguments.get(position) else {
        return StatedJurisdiction::Missing;
    };
    let ast::Expr::Object(options) = strip_types(&argument.expr) else {
        return StatedJurisdiction::Unseen;
    };
    let mut found = StatedJurisdiction::Missing;
    for property in &options.props {
        found = match property {
            ast::PropOrSpread::Spread(_) => StatedJurisdiction::Unseen,
            ast::PropOrSpread::Prop(property) => match &**property {
                ast::Prop::Shorthand(name) if &*name.sym == JURISDICTION => StatedJurisdiction::Unseen,
                ast::Prop::KeyValue(pair) if is_jurisdiction(&pair.key) => value(&pair.value),
                _ => found,
            },
        };
    }
    found
}

fn is_jurisdiction(name: &ast::PropName) -> bool {
    match name {
        ast::PropName::Ident(name) => &*name.sym == JURISDICTION,
        ast::PropName::Str(string) => &*text(&string.value) == JURISDICTION,
        _ => false,
    }
}

fn value(expression: &ast::Expr) -> StatedJurisdiction {
    match strip_types(expression) {
        ast::Expr::Lit(ast::Lit::Str(string)) => StatedJurisdiction::Named(text(&string.value).to_string()),
        ast::Expr::Ident(name) if &*name.sym == "undefined" => StatedJurisdiction::Missing,
        _ => StatedJurisdiction::Unseen,
    }
}
