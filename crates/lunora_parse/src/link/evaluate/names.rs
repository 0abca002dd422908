//! What a name stands for: a constant, a parameter, something of Lunora.

use std::rc::Rc;

use lunora_diagnostics::codes;

use super::describe::describe;
use super::{Evaluator, Memo, Read, Scope};
use crate::facts::{BindingKind, Expression, ExpressionKind, Imported, Name};
use crate::link::modules::{FileIndex, GeneratedModule, Symbol};
use crate::link::value::{Place, Value};

impl<'modules> Evaluator<'modules> {
    /// Reads the body of a lambda with its parameter bound.
    pub(in crate::link) fn read_lambda(
        &mut self,
        file: FileIndex,
        expression: &Expression,
        parameter: Value,
    ) -> Read<Value> {
        let ExpressionKind::Lambda { parameter: name, body } = &expression.kind else {
            let place = self.place(file, expression);
            return self.not_static(
                place,
                &describe(expression),
                "only a function that directly returns an object is followed here",
                "Write `(helper) => ({ … })` in place.",
            );
        };
        let scope = name.as_ref().map(|name| Scope {
            name: name.clone(),
            value: parameter,
        });
        let before = std::mem::replace(&mut self.scope, scope);
        let value = self.read(file, body);
        self.scope = before;
        value
    }

    pub(super) fn read_name(&mut self, file: FileIndex, name: &Name, place: Place) -> Read<Value> {
        if let Some(scope) = self.scope.as_ref().filter(|scope| scope.name == *name) {
            return Ok(scope.value.clone());
        }
        let symbol = self.modules.lookup(file, name, &mut self.asked);
        self.read_symbol(symbol, name, place)
    }

    /// What a name means, wherever it was found.
    pub(in crate::link) fn read_symbol(
        &mut self,
        symbol: Symbol<'modules>,
        written: &Name,
        place: Place,
    ) -> Read<Value> {
        match symbol {
            Symbol::Binding { file, name, binding } => match &binding.kind {
                BindingKind::Constant(expression) => self.read_constant(file, name, expression, place),
                BindingKind::Function(_) => Ok(Value::Function),
                BindingKind::Class(_) => self.not_a_constant(place, written, "a class"),
                BindingKind::Other(why) => self.not_a_constant(place, written, why),
            },
            Symbol::Namespace(file) => Ok(Value::Module(file)),
            Symbol::Generated { module, name } => match (module, name) {
                (GeneratedModule::Api, Imported::Named(name)) => Ok(Value::Reference(Rc::new(vec![name]))),
                (GeneratedModule::Server, Imported::Named(name)) if &*name == "v" => Ok(Value::Validators),
                (GeneratedModule::Server, Imported::Named(name)) => {
                    Ok(self.builder(&name).unwrap_or(Value::Framework(name)))
                }
                (GeneratedModule::Server, Imported::Namespace) => Ok(Value::Builders),
                (GeneratedModule::Api | GeneratedModule::Other, _) => {
                    let what = format!("`{written}`");
                    self.not_static(
                        place,
                        &what,
                        "it comes from a generated file",
                        "Write the value in place.",
                    )
                }
            },
            Symbol::Framework(Imported::Namespace) => Ok(Value::FrameworkModule),
            Symbol::Framework(Imported::Named(name)) => Ok(framework(&name)),
            Symbol::Outside { specifier } => self.not_static(
                place,
                &format!("`{written}`"),
                &format!("it comes from `{specifier}`, which is outside the app's folder"),
                "Move the constant into a file of the app's folder, or write the value in place.",
            ),
            Symbol::Missing { specifier } => self.stop(
                codes::IMPORT_NOT_FOUND,
                place,
                format!("`{written}` is imported from `{specifier}`, which has no such export or does not exist"),
                "Correct the import, or export the name there.",
            ),
            Symbol::Global if &**written == "undefined" => {
                self.not_static(place, "`undefined`", "it declares nothing", "Leave the property out.")
            }
            Symbol::Global => self.not_static(
                place,
                &format!("`{written}`"),
                "it is not declared in the file",
                "Declare it as a `const` built from literals, or import it.",
            ),
        }
    }

    fn not_a_constant(&mut self, place: Place, written: &Name, what: &str) -> Read<Value> {
        self.not_static(
            place,
            &format!("`{written}`"),
            &format!("it is {what}"),
            "Write the value in place, or as a `const` built from literals.",
        )
    }

    fn read_constant(
        &mut self,
        file: FileIndex,
        name: Name,
        expression: &'modules Expression,
        place: Place,
    ) -> Read<Value> {
        let key = (file, name);
        match self.memo.get(&key) {
            Some(Memo::Done(value)) => return value.clone(),
            Some(Memo::Open) => {
                let message = format!("`{}` refers to itself in a circle, so that it has no value", key.1);
                let help = "Break the circle: move the constants that both sides need into a file of their own.";
                return self.stop(codes::CIRCULAR_CONSTANT, place, message, help);
            }
            None => {}
        }
        self.memo.insert(key.clone(), Memo::Open);
        self.journal.push(key.clone());
        let before = self.scope.take();
        let value = self.read(file, expression);
        self.scope = before;
        self.memo.insert(key, Memo::Done(value.clone()));
        value
    }
}

pub(super) fn framework(name: &Name) -> Value {
    match &**name {
        "v" => Value::Validators,
        "initLunora" => Value::Init,
        _ => Value::Framework(name.clone()),
    }
}
