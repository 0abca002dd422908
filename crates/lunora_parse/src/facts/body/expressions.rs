//! Expressions: what they are, as far as that is tracked.

use swc_core::ecma::ast;

use super::local_functions::Inline;
use super::steps::{either, element_step, hidden_step, into_step, private, root, step};
use super::{Bound, Walker};
use crate::facts::expression::{strip_types, template_text, text};
use crate::facts::{Root, Tracked};

fn is_number(expr: &ast::Expr) -> bool {
    matches!(strip_types(expr), ast::Expr::Lit(ast::Lit::Num(_)))
}

impl<'ast> Walker<'_, 'ast> {
    /// Walks an expression and says what it is.
    pub(super) fn value(&mut self, expr: &'ast ast::Expr) -> Tracked {
        match strip_types(expr) {
            ast::Expr::Ident(identifier) => match self.lookup(&identifier.sym) {
                Some(Bound::Value(value)) => value.clone(),
                Some(Bound::Function(_) | Bound::Unset) => Tracked::Unknown,
                None if &*identifier.sym == "arguments" => {
                    self.all_arguments_escape(self.positions.span(identifier.span));
                    Tracked::Unknown
                }
                None => root(Root::Module(identifier.sym.clone())),
            },
            ast::Expr::This(_) => self.this.clone().unwrap_or(Tracked::Unknown),
            ast::Expr::Lit(ast::Lit::Str(string)) => Tracked::String(text(&string.value)),
            ast::Expr::Lit(_) => Tracked::Unknown,
            ast::Expr::Tpl(template) => {
                for expr in &template.exprs {
                    self.value(expr);
                }
                match (&template.quasis[..], template.exprs.is_empty()) {
                    ([only], true) => Tracked::String(template_text(only)),
                    _ => Tracked::Unknown,
                }
            }
            ast::Expr::Member(member) => self.member(member),
            ast::Expr::OptChain(chain) => match &*chain.base {
                ast::OptChainBase::Member(member) => self.member(member),
                ast::OptChainBase::Call(call) => {
                    self.call(&call.callee, &call.args, call.span);
                    Tracked::Unknown
                }
            },
            ast::Expr::Call(call) => match &call.callee {
                ast::Callee::Expr(callee) => {
                    self.call(callee, &call.args, call.span);
                    Tracked::Unknown
                }
                ast::Callee::Super(_) | ast::Callee::Import(_) => {
                    self.escape_arguments(&call.args);
                    Tracked::Unknown
                }
            },
            ast::Expr::New(new) => {
                let callee = self.value(&new.callee);
                let arguments = new.args.as_deref().unwrap_or(&[]);
                if arguments.is_empty() {
                    self.made_of_nothing(&callee, new.span);
                }
                let events = self.events.len();
                self.tracked_call(&callee, &new.callee, arguments, new.span, true);
                self.constructed(events)
            }
            ast::Expr::Await(expr) => self.value(&expr.arg),
            ast::Expr::Cond(conditional) => {
                self.value(&conditional.test);
                let consequent = self.value(&conditional.cons);
                let alternative = self.value(&conditional.alt);
                either(consequent, alternative)
            }
            ast::Expr::Bin(binary) => {
                let left = self.value(&binary.left);
                let right = self.value(&binary.right);
                match binary.op {
                    ast::BinaryOp::LogicalAnd => right,
                    ast::BinaryOp::LogicalOr | ast::BinaryOp::NullishCoalescing => either(left, right),
                    _ => Tracked::Unknown,
                }
            }
            ast::Expr::Assign(assign) => {
                let value = self.value(&assign.right);
                let value = match assign.op {
                    ast::AssignOp::Assign
                    | ast::AssignOp::AndAssign
                    | ast::AssignOp::OrAssign
                    | ast::AssignOp::NullishAssign => value,
                    // `+=` and the like make something else of it.
                    _ => Tracked::Unknown,
                };
                match &assign.left {
                    ast::AssignTarget::Simple(ast::SimpleAssignTarget::Ident(identifier)) => {
                        self.assign_name(&identifier.sym, value.clone());
                    }
                    ast::AssignTarget::Simple(target) => {
                        match target {
                            ast::SimpleAssignTarget::Member(member) => {
                                self.assign_member(member, value, &assign.right);
                            }
                            _ => self.escape(value, &assign.right),
                        }
                        // It has left sight; what the assignment evaluates to adds nothing.
                        return Tracked::Unknown;
                    }
                    ast::AssignTarget::Pat(ast::AssignTargetPat::Object(object)) => {
                        for property in &object.props {
                            match property {
                                ast::ObjectPatProp::KeyValue(pair) => {
                                    let part = match &pair.key {
                                        ast::PropName::Ident(name) => step(&value, &name.sym),
                                        _ => Tracked::Unknown,
                                    };
                                    self.assign_pattern(&pair.value, &part);
                                }
                                ast::ObjectPatProp::Assign(shorthand) => {
                                    let part = step(&value, &shorthand.key.sym);
                                    self.assign_name(&shorthand.key.sym, part);
                                }
                                ast::ObjectPatProp::Rest(rest) => self.assign_pattern(&rest.arg, &value),
                            }
                        }
                    }
                    ast::AssignTarget::Pat(ast::AssignTargetPat::Array(array)) => {
                        for pattern in array.elems.iter().flatten() {
                            self.assign_pattern(pattern, &Tracked::Unknown);
                        }
                        self.escape(value.clone(), &assign.right);
                    }
                    ast::AssignTarget::Pat(_) => self.escape(value.clone(), &assign.right),
                }
                value
            }
            ast::Expr::Seq(sequence) => {
                let mut last = Tracked::Unknown;
                for expr in &sequence.exprs {
                    last = self.value(expr);
                }
                last
            }
            ast::Expr::Object(object) => self.object(object),
            ast::Expr::Array(array) => {
                for element in array.elems.iter().flatten() {
                    let value = self.value(&element.expr);
                    self.escape(value, &element.expr);
                }
                Tracked::Unknown
            }
            ast::Expr::Arrow(arrow) => {
                self.inline(Inline::Arrow(arrow), &[]);
                Tracked::Unknown
            }
            ast::Expr::Fn(function) => {
                self.inline(Inline::Function(&function.function), &[]);
                Tracked::Unknown
            }
            ast::Expr::Class(class) => {
                self.class(&class.class);
                Tracked::Unknown
            }
            ast::Expr::Unary(unary) => {
                self.value(&unary.arg);
                Tracked::Unknown
            }
            ast::Expr::Yield(expr) => {
                if let Some(expr) = &expr.arg {
                    let value = self.value(expr);
                    self.escape(value, expr);
                }
                Tracked::Unknown
            }
            ast::Expr::TaggedTpl(tagged) => {
                self.value(&tagged.tag);
                for expr in &tagged.tpl.exprs {
                    let value = self.value(expr);
                    self.escape(value, expr);
                }
                Tracked::Unknown
            }
            ast::Expr::JSXElement(element) => {
                self.jsx_element(element);
                Tracked::Unknown
            }
            ast::Expr::JSXFragment(fragment) => {
                self.jsx_children(&fragment.children);
                Tracked::Unknown
            }
            _ => Tracked::Unknown,
        }
    }

    fn member(&mut self, member: &'ast ast::MemberExpr) -> Tracked {
        let object = self.value(&member.obj);
        match &member.prop {
            ast::MemberProp::Ident(name) => {
                self.looked_at(&object, &name.sym, name.span);
                into_step(object, &name.sym)
            }
            ast::MemberProp::Computed(computed) => match self.value(&computed.expr) {
                Tracked::String(name) => into_step(object, &name),
                Tracked::Unknown if is_number(&computed.expr) => into_step(object, &element_step()),
                // `db[name]`: which table is not visible.
                _ => into_step(object, &hidden_step()),
            },
            ast::MemberProp::PrivateName(name) => into_step(object, &private(&name.name)),
        }
    }
}
