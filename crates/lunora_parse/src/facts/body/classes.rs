//! Classes inside a function, and what `new` gives.

use swc_core::ecma::ast;

use super::Walker;
use super::local_functions::Inline;
use super::steps::root;
use crate::facts::{Construction, Event, Root, Tracked};

impl<'ast> Walker<'_, 'ast> {
    /// What `new` gives: a thing to follow when it was given one.
    pub(super) fn constructed(&mut self, events_before: usize) -> Tracked {
        let Some(Event::Call {
            callee,
            arguments,
            constructs: true,
            ..
        }) = self.events.get(events_before..).and_then(<[Event]>::last)
        else {
            return Tracked::Unknown;
        };
        let Ok(index) = u16::try_from(self.constructions.len()) else {
            return Tracked::Unknown;
        };
        if !matches!(callee.root, Root::Module(_)) {
            return Tracked::Unknown;
        }
        self.constructions.push(Construction {
            class: callee.clone(),
            arguments: arguments.iter().map(|argument| argument.value.clone()).collect(),
        });
        root(Root::Construction(index))
    }

    /// A class inside a function: its methods count as called, its `this` is not followed.
    pub(super) fn class(&mut self, class: &'ast ast::Class) {
        let this = self.this.take();
        self.class_members(class);
        self.this = this;
    }

    fn class_members(&mut self, class: &'ast ast::Class) {
        for member in &class.body {
            match member {
                ast::ClassMember::Method(method) => {
                    self.inline(Inline::Function(&method.function), &[]);
                }
                ast::ClassMember::PrivateMethod(method) => {
                    self.inline(Inline::Function(&method.function), &[]);
                }
                ast::ClassMember::Constructor(constructor) => {
                    if let Some(body) = &constructor.body {
                        self.statements(&body.stmts);
                    }
                }
                ast::ClassMember::ClassProp(property) => {
                    if let Some(value) = &property.value {
                        let tracked = self.value(value);
                        self.escape(tracked, value);
                    }
                }
                ast::ClassMember::PrivateProp(property) => {
                    if let Some(value) = &property.value {
                        let tracked = self.value(value);
                        self.escape(tracked, value);
                    }
                }
                ast::ClassMember::StaticBlock(block) => self.statements(&block.body.stmts),
                _ => {}
            }
        }
    }
}
