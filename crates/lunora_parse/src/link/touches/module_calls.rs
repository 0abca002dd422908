//! Calls of what a module declares.

use super::Walk;
use super::calls::CallSite;
use super::handle::Handle;
use crate::facts::{Binding, BindingKind, Expression, ExpressionKind, Name};
use crate::link::modules::{FileIndex, Symbol, function_of};
use crate::link::value::{Callable, FunctionRef, Place};

impl<'modules> Walk<'_, 'modules> {
    /// A call of something of the module: a helper of the app, or something outside.
    pub(super) fn call_module(
        &mut self,
        file: FileIndex,
        name: &Name,
        steps: &[Name],
        arguments: Vec<(Handle, Place)>,
        call: &CallSite<'_>,
    ) {
        match self.module_callable(file, name, steps) {
            Callable::Function(function) if !call.constructs => {
                let parameters = arguments.into_iter().map(|(handle, _)| handle).collect();
                self.enter_through(call.place, function, Handle::Other, parameters);
            }
            Callable::Trusted => {}
            _ => {
                let written: Vec<&str> = std::iter::once(&**name)
                    .chain(steps.iter().map(|step| &**step))
                    .collect();
                self.hand_over(&arguments, call, &format!("`{}`", written.join(".")));
            }
        }
    }

    pub(super) fn module_callable(&mut self, file: FileIndex, name: &Name, steps: &[Name]) -> Callable {
        let unseen = Callable::Unseen(
            String::new(),
            Place {
                file,
                span: Default::default(),
            },
        );
        let modules = self.evaluator.modules;
        match modules.lookup(file, name, &mut self.evaluator.asked) {
            Symbol::Framework(_) | Symbol::Generated { .. } => return Callable::Trusted,
            // Printing a handle does nothing with it.
            Symbol::Global if &**name == "console" => return Callable::Trusted,
            _ => {}
        }
        let Some((file, binding, steps)) = self.binding_of(file, name, steps) else {
            return unseen;
        };
        if steps.is_empty()
            && let Some(index) = function_of(binding)
        {
            return Callable::Function(FunctionRef { file, index });
        }
        match &binding.kind {
            BindingKind::Constant(expression) => self.member_callable(file, expression, steps),
            _ => unseen,
        }
    }

    /// What a name of a module is bound to, through namespaces, and the steps that are left.
    pub(super) fn binding_of<'steps>(
        &mut self,
        file: FileIndex,
        name: &Name,
        mut steps: &'steps [Name],
    ) -> Option<(FileIndex, &'modules Binding, &'steps [Name])> {
        let modules = self.evaluator.modules;
        let mut symbol = modules.lookup(file, name, &mut self.evaluator.asked);
        while let Symbol::Namespace(target) = symbol {
            let (step, rest) = steps.split_first()?;
            steps = rest;
            symbol = modules.export(target, step, &mut self.evaluator.asked)?;
        }
        match symbol {
            Symbol::Binding { file, binding, .. } => Some((file, binding, steps)),
            _ => None,
        }
    }

    /// A function in an object of helpers.
    fn member_callable(&mut self, file: FileIndex, expression: &Expression, steps: &[Name]) -> Callable {
        let Some((step, rest)) = steps.split_first() else {
            return self.evaluator.callable(file, expression);
        };
        if let ExpressionKind::Object(properties) = &expression.kind {
            for property in properties {
                if let crate::facts::Property::Named { name, value, .. } = property
                    && name == step
                {
                    return self.member_callable(file, value, rest);
                }
            }
        }
        Callable::Unseen(
            String::new(),
            Place {
                file,
                span: expression.span,
            },
        )
    }
}
