//! `ctx.scheduler`: that it is used, and what it is given to run.

use lunora_diagnostics::codes;
use lunora_ir::FunctionKind;

use super::Walk;
use super::calls::CallSite;
use super::handle::Handle;
use crate::facts::Name;
use crate::link::value::{Place, Value};

impl Walk<'_, '_> {
    /// `ctx.scheduler` is called, or goes somewhere.
    pub(super) fn use_scheduler(&mut self) {
        self.touches.schedules = true;
    }

    /// `ctx.scheduler.runAfter(delay, reference, …)`. The function may live anywhere: it runs on its own.
    pub(super) fn schedule(&mut self, method: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) {
        self.use_scheduler();
        if matches!(&**method, "runAfter" | "runAt")
            && let Some((handle, place)) = arguments.get(1)
            && let Some(value) = self.referenced(handle, *place)
            && let Value::Registered(function) = value
            && !matches!(function.builder.kind, FunctionKind::Mutation | FunctionKind::Action)
        {
            self.evaluator.report(
                codes::JOB_TARGET_INVALID,
                *place,
                format!("`{method}` is given neither a mutation nor an action, and nobody would see the result"),
                "Schedule a mutation or an action; it may be internal.",
            );
        }
        self.hand_over(arguments, call, "`ctx.scheduler`");
    }
}
