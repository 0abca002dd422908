//! Calls of other functions by reference: `ctx.runQuery(api.messages.list, …)`.

use lunora_diagnostics::codes;
use lunora_ir::FunctionKind;

use super::Walk;
use super::calls::CallSite;
use super::handle::Handle;
use crate::facts::{Expression, ExpressionKind, Imported, Name};
use crate::link::modules::{GeneratedModule, Symbol, module_path};
use crate::link::suggest::hint;
use crate::link::value::{Callable, Place, RegisteredValue, Value};

impl Walk<'_, '_> {
    /// `ctx.runQuery(api.messages.list, …)` runs in the caller's place, so that the caller touches
    /// what the other touches.
    pub(super) fn run(&mut self, method: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) {
        let Some((handle, place)) = arguments.first() else {
            return;
        };
        if self.kind != FunctionKind::Action && self.reference(handle, *place).is_none() {
            let message = format!("which function `{method}` calls is not visible");
            self.unseen(codes::ADDRESS_UNDECIDABLE, *place, message);
            return;
        }
        let value = self.referenced(handle, *place);
        if self.kind != FunctionKind::Action
            && let Some(Value::Registered(function)) = value
        {
            self.run_registered(&function, call);
        }
    }

    /// What a reference to a function means; one that leads nowhere is reported.
    pub(super) fn referenced(&mut self, handle: &Handle, place: Place) -> Option<Value> {
        let reference = self.reference(handle, place)?;
        let (export, path) = reference.split_last()?;
        let modules = self.evaluator.modules;
        let joined = path.iter().map(|step| &**step).collect::<Vec<_>>().join("/");
        let file = modules.find(&format!("{}/{joined}", modules.directory));
        let Some(file) = file else {
            let known: Vec<&str> = modules
                .files
                .iter()
                .map(|file| module_path(&modules.directory, &file.path))
                .filter(|module| !matches!(*module, "schema" | "app"))
                .collect();
            let message = format!("there is no function `{joined}:{export}`");
            self.evaluator
                .report(codes::UNKNOWN_FUNCTION, place, message, hint(&joined, &known));
            return None;
        };
        self.evaluator.asked.push(file);
        if !modules.file(file).parses() {
            return None;
        }
        let Some(symbol) = modules.export(file, export, &mut self.evaluator.asked) else {
            let mut asked = Vec::new();
            let exported = modules.exported_names(file, &mut asked);
            let known: Vec<&str> = exported.iter().map(|(name, ..)| &**name).collect();
            let message = format!("there is no function `{joined}:{export}`");
            self.evaluator
                .report(codes::UNKNOWN_FUNCTION, place, message, hint(export, &known));
            return None;
        };
        let before = self.evaluator.diagnostics.len();
        let value = self.evaluator.read_symbol(symbol, export, place);
        // The file that declares it reports what is wrong with it.
        self.evaluator.diagnostics.truncate(before);
        value.ok()
    }

    fn run_registered(&mut self, function: &RegisteredValue, call: &CallSite<'_>) {
        let stated = function.builder.shard.is_some();
        let unseen = self.touches.unseen.len();
        let key = match &function.handler {
            Callable::Function(handler) => (*handler, vec![Handle::String("run".into())]),
            _ => return,
        };
        if !self.visited.insert(key) {
            return;
        }
        let outer = self.through;
        self.through.get_or_insert(call.place);
        self.registered(function);
        self.through = outer;
        if stated {
            self.touches.unseen.truncate(unseen);
        }
    }

    /// The steps after `api` or `internal`.
    fn reference(&mut self, handle: &Handle, place: Place) -> Option<Vec<Name>> {
        let Handle::Module(file, name, steps) = handle else {
            return None;
        };
        let modules = self.evaluator.modules;
        match modules.lookup(*file, name, &mut self.evaluator.asked) {
            Symbol::Generated {
                module: GeneratedModule::Api,
                name: Imported::Named(_),
            } => Some(steps.clone()),
            Symbol::Binding { .. } => {
                let expression = Expression {
                    span: place.span,
                    kind: ExpressionKind::Name(name.clone()),
                };
                match self.evaluator.quietly(*file, &expression)? {
                    Value::Reference(reference) => {
                        Some(reference.iter().skip(1).cloned().chain(steps.iter().cloned()).collect())
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
