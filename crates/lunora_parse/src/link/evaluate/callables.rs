//! What is called when an expression is given as a handler or a middleware.

use super::Evaluator;
use super::describe::describe;
use crate::facts::{BindingKind, Expression, ExpressionKind};
use crate::link::modules::{FileIndex, Symbol, function_of};
use crate::link::value::{Callable, FunctionRef};

impl<'modules> Evaluator<'modules> {
    /// What is called when an expression is given as a handler or a middleware.
    pub(in crate::link) fn callable(&mut self, file: FileIndex, expression: &Expression) -> Callable {
        self.callable_within(file, expression, 16)
    }

    fn callable_within(&mut self, file: FileIndex, expression: &Expression, fuel: u32) -> Callable {
        let place = self.place(file, expression);
        let unseen = || Callable::Unseen(describe(expression), place);
        let Some(fuel) = fuel.checked_sub(1) else {
            return unseen();
        };
        match &expression.kind {
            ExpressionKind::Function(index) => Callable::Function(FunctionRef { file, index: *index }),
            ExpressionKind::Name(_) | ExpressionKind::Member { .. } => match self.symbol_of(file, expression) {
                Some(symbol) => self.callable_symbol(&symbol, fuel, unseen()),
                None => unseen(),
            },
            // What a function of the app returns, when it directly returns a function.
            ExpressionKind::Call(call) => match self.callable_within(file, &call.callee, fuel) {
                Callable::Function(maker) => {
                    let returned = self
                        .modules
                        .facts(maker.file)
                        .functions
                        .get(maker.index as usize)
                        .and_then(|facts| facts.returns_function);
                    match returned {
                        Some(index) => Callable::Function(FunctionRef {
                            file: maker.file,
                            index,
                        }),
                        None => unseen(),
                    }
                }
                Callable::Trusted => Callable::Trusted,
                Callable::Unseen(..) => unseen(),
            },
            _ => unseen(),
        }
    }

    fn callable_symbol(&mut self, symbol: &Symbol<'modules>, fuel: u32, unseen: Callable) -> Callable {
        match symbol {
            Symbol::Binding { file, binding, .. } => match function_of(binding) {
                Some(index) => Callable::Function(FunctionRef { file: *file, index }),
                None => match &binding.kind {
                    BindingKind::Constant(expression) => match self.callable_within(*file, expression, fuel) {
                        Callable::Unseen(..) => unseen,
                        found => found,
                    },
                    _ => unseen,
                },
            },
            Symbol::Framework(_) | Symbol::Generated { .. } => Callable::Trusted,
            _ => unseen,
        }
    }

    /// What a name, or a member of an imported module or of a constant object, means.
    pub(in crate::link) fn symbol_of(&mut self, file: FileIndex, expression: &Expression) -> Option<Symbol<'modules>> {
        match &expression.kind {
            ExpressionKind::Name(name) => Some(self.modules.lookup(file, name, &mut self.asked)),
            ExpressionKind::Member { object, name, .. } => match self.symbol_of(file, object)? {
                Symbol::Namespace(target) => self.modules.export(target, name, &mut self.asked),
                symbol @ (Symbol::Framework(_) | Symbol::Generated { .. } | Symbol::Outside { .. }) => Some(symbol),
                _ => None,
            },
            _ => None,
        }
    }
}
