//! Object literals, whose properties stay tracked.

use swc_core::ecma::ast;

use super::local_functions::Inline;
use super::steps::root;
use super::{Bound, Walker};
use crate::facts::expression::text;
use crate::facts::{ObjectShape, Root, Tracked};

impl<'ast> Walker<'_, 'ast> {
    pub(super) fn object(&mut self, object: &'ast ast::ObjectLit) -> Tracked {
        let mut shape = ObjectShape::default();
        for property in &object.props {
            match property {
                ast::PropOrSpread::Spread(spread) => {
                    let value = self.value(&spread.expr);
                    if value != Tracked::Unknown {
                        shape.spreads.push(value);
                    }
                }
                ast::PropOrSpread::Prop(property) => match &**property {
                    ast::Prop::Shorthand(identifier) => {
                        let value = match self.lookup(&identifier.sym) {
                            Some(Bound::Value(value)) => value.clone(),
                            Some(Bound::Function(_) | Bound::Unset) => Tracked::Unknown,
                            None => root(Root::Module(identifier.sym.clone())),
                        };
                        shape.properties.push((identifier.sym.clone(), value));
                    }
                    ast::Prop::KeyValue(pair) => {
                        let value = self.value(&pair.value);
                        match &pair.key {
                            ast::PropName::Ident(name) => shape.properties.push((name.sym.clone(), value)),
                            ast::PropName::Str(string) => {
                                shape.properties.push((text(&string.value), value));
                            }
                            ast::PropName::Computed(computed) => {
                                self.value(&computed.expr);
                                shape.properties.push(("?".into(), value));
                            }
                            _ => {}
                        }
                    }
                    ast::Prop::Method(method) => self.inline(Inline::Function(&method.function), &[]),
                    ast::Prop::Getter(getter) => {
                        if let Some(body) = &getter.function.body {
                            self.statements_with_other_this(&body.stmts);
                        }
                    }
                    ast::Prop::Setter(setter) => {
                        if let Some(body) = &setter.function.body {
                            self.statements_with_other_this(&body.stmts);
                        }
                    }
                    ast::Prop::Assign(assign) => {
                        self.value(&assign.value);
                    }
                },
            }
        }
        if shape.properties.iter().all(|(_, value)| *value == Tracked::Unknown) && shape.spreads.is_empty() {
            return Tracked::Unknown;
        }
        Tracked::Object(Box::new(shape))
    }
}
