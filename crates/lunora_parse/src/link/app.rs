//! `lunora/app.ts`: whether it is there, and which of its options matter to the toolchain.

use lunora_diagnostics::{Diagnostic, Span, codes};

use super::evaluate::Evaluator;
use super::modules::{FileIndex, Modules, Symbol};
use super::value::Value;
use crate::facts::{BindingKind, Expression, ExpressionKind, Property};

/// How many names and spreads lead to the options.
const MOST_STEPS: usize = 32;

/// What the app's own module says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AppModule {
    /// It is there and exports something by default.
    pub(super) is_there: bool,
    /// Its options have `email`, or may have it: they are not written where they can be read.
    pub(super) takes_mail: bool,
}

pub(super) fn link_app(modules: &Modules, diagnostics: &mut Vec<Diagnostic>) -> AppModule {
    let Some(file) = modules.find(&format!("{}/app", modules.directory)) else {
        return AppModule::default();
    };
    if !modules.file(file).parses() {
        return AppModule {
            is_there: true,
            takes_mail: true,
        };
    }
    let Some(export) = modules.export(file, &"default".into(), &mut Vec::new()) else {
        let path = modules.path(file);
        diagnostics.push(
            Diagnostic::error(codes::APP_NOT_EXPORTED, format!("`{path}` has no default export"))
                .at(path, Span::default())
                .with_help("Write `export default defineApp({ … });`, or remove the file."),
        );
        return AppModule::default();
    };
    let mut reader = Reader {
        evaluator: Evaluator::new(modules),
        steps: MOST_STEPS,
    };
    AppModule {
        is_there: true,
        takes_mail: reader.symbol(&export).unwrap_or(true),
    }
}

/// Looks for `email`. An answer is `None` where static reading does not get that far.
struct Reader<'modules> {
    evaluator: Evaluator<'modules>,
    steps: usize,
}

impl Reader<'_> {
    fn symbol(&mut self, symbol: &Symbol<'_>) -> Option<bool> {
        match symbol {
            Symbol::Binding { file, binding, .. } => match &binding.kind {
                BindingKind::Constant(expression) => self.options(*file, expression),
                _ => None,
            },
            _ => None,
        }
    }

    fn options(&mut self, file: FileIndex, expression: &Expression) -> Option<bool> {
        self.steps = self.steps.checked_sub(1)?;
        match &expression.kind {
            ExpressionKind::Name(name) => {
                let modules = self.evaluator.modules;
                self.symbol(&modules.lookup(file, name, &mut Vec::new()))
            }
            ExpressionKind::Call(call) => match self.evaluator.quietly(file, &call.callee)? {
                Value::Framework(name) if &*name == "defineApp" => match call.arguments.first() {
                    Some(options) if !options.spread => self.options(file, &options.expression),
                    Some(_) => None,
                    None => Some(false),
                },
                _ => None,
            },
            ExpressionKind::Object(properties) => self.properties(file, properties),
            _ => None,
        }
    }

    /// Of several that say it the last holds.
    fn properties(&mut self, file: FileIndex, properties: &[Property]) -> Option<bool> {
        for property in properties.iter().rev() {
            match property {
                Property::Named { name, value, .. } if &**name == "email" => return self.is_handler(file, value),
                Property::Named { .. } => {}
                Property::Spread(spread) => {
                    if self.options(file, spread)? {
                        return Some(true);
                    }
                }
                Property::Computed { .. } | Property::Accessor(_) => return None,
            }
        }
        Some(false)
    }

    /// `undefined` leaves the option out.
    fn is_handler(&self, file: FileIndex, value: &Expression) -> Option<bool> {
        let ExpressionKind::Name(name) = &value.kind else {
            return Some(true);
        };
        let symbol = self.evaluator.modules.lookup(file, name, &mut Vec::new());
        Some(&**name != "undefined" || !matches!(symbol, Symbol::Global))
    }
}
