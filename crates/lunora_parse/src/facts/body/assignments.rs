//! What names and fields hold after an assignment.

use swc_core::ecma::ast;

use super::escapes::is_argument_path;
use super::steps::{either, private, root};
use super::{Bound, Walker};
use crate::facts::{Event, Name, Root, Tracked};

impl<'ast> Walker<'_, 'ast> {
    /// `name = value`: the name may hold either from now on.
    pub(super) fn assign_name(&mut self, name: &Name, value: Tracked) {
        if let Some((_, bound)) = self.scope.iter_mut().rev().find(|(bound, _)| bound == name) {
            *bound = match std::mem::replace(bound, Bound::Value(Tracked::Unknown)) {
                Bound::Unset => Bound::Value(value),
                Bound::Value(before) => Bound::Value(either(before, value)),
                function @ Bound::Function(_) => function,
            };
        }
    }

    /// An initialiser of a class.
    pub(in crate::facts) fn field(&mut self, name: Name, value: &'ast ast::Expr) {
        let value = self.value(value);
        self.fields.get_or_insert_default().push((name, value));
    }

    pub(in crate::facts) fn bind_name(&mut self, name: &Name, value: Tracked) {
        self.scope.push((name.clone(), Bound::Value(value)));
    }

    /// `object.name = value`
    pub(super) fn assign_member(&mut self, member: &'ast ast::MemberExpr, value: Tracked, expr: &ast::Expr) {
        let object = self.value(&member.obj);
        let name = match &member.prop {
            ast::MemberProp::Ident(name) => Some(name.sym.clone()),
            ast::MemberProp::PrivateName(name) => Some(private(&name.name)),
            ast::MemberProp::Computed(computed) => match self.value(&computed.expr) {
                Tracked::String(name) => Some(name),
                _ => None,
            },
        };
        if let (Some(fields), Some(name)) = (&mut self.fields, &name)
            && object == root(Root::This)
        {
            fields.push((name.clone(), value));
            return;
        }
        let span = self.positions.span(member.span);
        self.assigned(&object, name.as_ref(), span);
        self.escape(value, expr);
    }

    fn assigned(&mut self, object: &Tracked, name: Option<&Name>, span: lunora_diagnostics::Span) {
        match object {
            Tracked::Path(path) if !matches!(path.root, Root::Module(_)) && !is_argument_path(path) => {
                self.events.push(Event::Assign {
                    object: (**path).clone(),
                    name: name.cloned(),
                    span,
                });
            }
            Tracked::Either(choices) => {
                for choice in choices {
                    self.assigned(choice, name, span);
                }
            }
            _ => {}
        }
    }
}
