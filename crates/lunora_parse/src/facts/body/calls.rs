//! Calls: of local functions, and of what is tracked or is given something that is.

use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::escapes::{is_argument_path, may_hold_handle};
use super::local_functions::Inline;
use super::steps::{element_step, into_step};
use super::{Bound, Walker};
use crate::facts::expression::strip_types;
use crate::facts::{Event, Moment, Path, Root, Tracked, TrackedArgument};

/// Methods that hand each element of their receiver to the first parameter of their first argument.
const ELEMENT_CALLBACKS: &[&str] = &[
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "flatMap",
    "forEach",
    "map",
    "some",
];

impl<'ast> Walker<'_, 'ast> {
    pub(super) fn call(
        &mut self,
        callee_expr: &'ast ast::Expr,
        arguments: &'ast [ast::ExprOrSpread],
        span: swc_core::common::Span,
    ) {
        let callee_expr = strip_types(callee_expr);
        match callee_expr {
            ast::Expr::Ident(identifier) => {
                if let Some(Bound::Function(index)) = self.lookup(&identifier.sym) {
                    let index = *index;
                    let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                    if !self.enter(index, &values) {
                        for (value, argument) in values.into_iter().zip(arguments) {
                            self.escape(value, &argument.expr);
                        }
                    }
                    return;
                }
            }
            // `(async () => { … })()`
            ast::Expr::Arrow(arrow) => {
                let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                self.inline(Inline::Arrow(arrow), &values);
                return;
            }
            ast::Expr::Fn(function) => {
                let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                self.inline(Inline::Function(&function.function), &values);
                return;
            }
            _ => {}
        }
        let callee = self.value(callee_expr);
        self.tracked_call(&callee, callee_expr, arguments, span, false);
    }

    pub(super) fn tracked_call(
        &mut self,
        callee: &Tracked,
        callee_expr: &'ast ast::Expr,
        arguments: &'ast [ast::ExprOrSpread],
        span: swc_core::common::Span,
        constructs: bool,
    ) {
        // `args.ids.map((id) => …)`: the callback sees the elements.
        let element = match callee {
            Tracked::Path(path) => path.steps.split_last().and_then(|(method, receiver)| {
                ELEMENT_CALLBACKS.contains(&&**method).then(|| {
                    let receiver = Path {
                        root: path.root.clone(),
                        steps: receiver.to_vec(),
                    };
                    into_step(Tracked::Path(Box::new(receiver)), &element_step())
                })
            }),
            _ => None,
        };
        let values: Vec<TrackedArgument> = arguments
            .iter()
            .map(|argument| TrackedArgument {
                value: self.argument(argument, element.as_ref()),
                span: self.positions.span(argument.expr.span()),
            })
            .collect();
        // A function that is handed over counts as called.
        for argument in &values {
            if let Tracked::Path(path) = &argument.value
                && matches!(path.root, Root::Module(_))
            {
                let callee = (**path).clone();
                self.moments.push(Moment::Call { callee });
            }
        }
        match callee {
            Tracked::Path(path) => {
                if matches!(path.root, Root::Module(_)) && !constructs {
                    self.called(path, span);
                }
                let matters = match path.root {
                    // Of what is an instance, `find` and `map` are methods like others.
                    Root::Parameter(_) | Root::This | Root::Construction(_) => !is_argument_path(path),
                    // What a function of the module does without being given anything of ours
                    // cannot reach the database.
                    Root::Module(_) => values.iter().any(|argument| may_hold_handle(&argument.value)),
                };
                if matters {
                    let with = arguments.first().and_then(|argument| self.with_shape(&argument.expr));
                    self.events.push(Event::Call {
                        callee: (**path).clone(),
                        span: self.positions.span(span),
                        callee_span: self.positions.span(callee_expr.span()),
                        arguments: values,
                        with,
                        constructs,
                    });
                }
            }
            Tracked::Either(choices) => {
                for (index, choice) in choices.iter().enumerate() {
                    if let Tracked::Path(path) = choice {
                        let arguments = values
                            .iter()
                            .map(|argument| TrackedArgument {
                                value: argument.value.clone(),
                                span: argument.span,
                            })
                            .collect();
                        self.events.push(Event::Call {
                            callee: (**path).clone(),
                            span: self.positions.span(span),
                            callee_span: self.positions.span(callee_expr.span()),
                            arguments,
                            with: None,
                            constructs,
                        });
                    } else if index == 0 {
                        for (argument, expr) in values.iter().zip(arguments) {
                            self.escape(argument.value.clone(), &expr.expr);
                        }
                    }
                }
            }
            _ => {
                for (argument, expr) in values.into_iter().zip(arguments) {
                    self.escape(argument.value, &expr.expr);
                }
            }
        }
    }

    fn argument(&mut self, argument: &'ast ast::ExprOrSpread, element: Option<&Tracked>) -> Tracked {
        let elements = element.map(std::slice::from_ref).unwrap_or_default();
        match strip_types(&argument.expr) {
            ast::Expr::Arrow(arrow) => {
                self.inline(Inline::Arrow(arrow), elements);
                Tracked::Unknown
            }
            ast::Expr::Fn(function) => {
                self.inline(Inline::Function(&function.function), elements);
                Tracked::Unknown
            }
            ast::Expr::Ident(identifier) => {
                if let Some(Bound::Function(index)) = self.lookup(&identifier.sym) {
                    let index = *index;
                    self.enter(index, elements);
                    return Tracked::Unknown;
                }
                self.value(&argument.expr)
            }
            _ => self.value(&argument.expr),
        }
    }

    pub(super) fn escape_arguments(&mut self, arguments: &'ast [ast::ExprOrSpread]) {
        for argument in arguments {
            let value = self.argument(argument, None);
            self.escape(value, &argument.expr);
        }
    }
}
