//! Calls of what is tracked.

use super::database::is_read;
use super::handle::Handle;
use super::{Frame, Walk};
use crate::facts::{Name, Path, Root, TrackedArgument, WithShape};
use crate::link::value::Place;

pub(super) struct CallSite<'call> {
    pub(super) callee: &'call Path,
    pub(super) place: Place,
    pub(super) callee_place: Place,
    pub(super) arguments: &'call [TrackedArgument],
    pub(super) with: Option<&'call WithShape>,
    pub(super) constructs: bool,
}

impl Walk<'_, '_> {
    pub(super) fn call(&mut self, frame: Frame<'_>, call: &CallSite<'_>) {
        let (receiver, method) = match (&call.callee.root, call.callee.steps.split_last()) {
            (Root::Module(name), _) => {
                let arguments = self.arguments(frame, call);
                if call.constructs && self.construct(frame.file, name, &arguments, call) {
                    return;
                }
                self.call_module(frame.file, name, &call.callee.steps, arguments, call);
                return;
            }
            (_, Some((method, receiver))) => {
                let receiver = Path {
                    root: call.callee.root.clone(),
                    steps: receiver.to_vec(),
                };
                (self.path(frame, &receiver), method.clone())
            }
            // A parameter that is called: a function passed in.
            (_, None) => {
                let callee = self.path(frame, call.callee);
                let arguments = self.arguments(frame, call);
                match callee {
                    Handle::Module(from, name, steps) => self.call_module(from, &name, &steps, arguments, call),
                    _ => self.hand_over(&arguments, call, "a function that is passed in"),
                }
                return;
            }
        };
        self.call_member(frame, &receiver, &method, call);
    }

    fn call_member(&mut self, frame: Frame<'_>, receiver: &Handle, method: &Name, call: &CallSite<'_>) {
        match receiver {
            Handle::Database => {
                let arguments = self.arguments(frame, call);
                self.database_call(method, &arguments, call);
            }
            Handle::Scheduler => {
                let arguments = self.arguments(frame, call);
                self.schedule(method, &arguments, call);
            }
            Handle::Accessor(table) => {
                let write = !is_read(method);
                let table = table.clone();
                self.touch_checked(&table, write, call.callee_place);
                if let Some(with) = call.with {
                    self.with(&table, with, call.place.file);
                }
            }
            Handle::UnknownAccessor => {
                self.use_database(call.callee_place);
                self.table_not_static(call.callee_place);
            }
            Handle::Context => {
                let arguments = self.arguments(frame, call);
                if matches!(&**method, "runQuery" | "runMutation") {
                    self.run(method, &arguments, call);
                } else {
                    // `ctx.auth` and the like take data.
                    self.hand_over(&arguments, call, "a method of `ctx`");
                }
            }
            // `next({ ctx: … })` of a middleware.
            Handle::Handler(_) => {}
            Handle::Either(choices) => {
                for choice in choices {
                    self.call_member(frame, choice, method, call);
                }
            }
            Handle::Module(from, name, steps) => {
                let mut steps = steps.clone();
                steps.push(method.clone());
                let arguments = self.arguments(frame, call);
                self.call_module(*from, name, &steps, arguments, call);
            }
            Handle::Instance(instance) => {
                let arguments = self.arguments(frame, call);
                self.call_method(receiver, instance, method, arguments, call);
            }
            Handle::Hidden => {
                let arguments = self.arguments(frame, call);
                self.escape(receiver, call.callee_place, "is used in a way that cannot be seen");
                self.hand_over(&arguments, call, "a function that cannot be seen");
            }
            _ => {
                let arguments = self.arguments(frame, call);
                self.hand_over(&arguments, call, "a function that cannot be seen");
            }
        }
    }
}
