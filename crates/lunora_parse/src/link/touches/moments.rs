//! Where a query or a mutation has another answer the next time, here and in what it calls.

use rustc_hash::FxHashSet;

use super::Walk;
use crate::facts::{Moment, Root};
use crate::link::modules::Symbol;
use crate::link::value::{Callable, FunctionRef, Place};

impl Walk<'_, '_> {
    /// Looks at every function that was reached with something of ours, and at all that those call. What is found is
    /// advice, so what cannot be followed, and what lies beyond the limit of a walk, is left out.
    pub(super) fn look_at_moments(&mut self) {
        let modules = self.evaluator.modules;
        let mut seen: FxHashSet<FunctionRef> = self
            .visited
            .iter()
            .map(|(function, _)| *function)
            .filter(|function| {
                let functions = &modules.facts(function.file).functions;
                functions
                    .get(function.index as usize)
                    .is_some_and(|facts| !facts.moments.is_empty())
            })
            .collect();
        let mut waiting: Vec<FunctionRef> = seen.iter().copied().collect();
        while let Some(function) = waiting.pop() {
            let Some(facts) = modules.facts(function.file).functions.get(function.index as usize) else {
                continue;
            };
            for moment in &facts.moments {
                match moment {
                    Moment::Global { name, written, span } => {
                        if let Symbol::Global = modules.lookup(function.file, name, &mut self.evaluator.asked) {
                            let place = Place {
                                file: function.file,
                                span: *span,
                            };
                            self.touches.moments.insert(place, written);
                        }
                    }
                    // The time of the transaction, which is what should be looked at.
                    Moment::Now { .. } => {}
                    Moment::Call { callee } => {
                        if let Root::Module(name) = &callee.root
                            && let Callable::Function(called) = self.module_callable(function.file, name, &callee.steps)
                            && seen.len() < super::MAX_VISITS
                            && seen.insert(called)
                        {
                            self.evaluator.asked.push(called.file);
                            waiting.push(called);
                        }
                    }
                }
            }
        }
    }
}
