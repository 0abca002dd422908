//! Tracked values, as the caller of a function makes them.

use super::calls::CallSite;
use super::handle::{Handle, member};
use super::{Frame, Walk};
use crate::facts::{Expression, ExpressionKind, Name, Path, Root, Tracked};
use crate::link::value::{Place, Value};

impl Walk<'_, '_> {
    pub(super) fn resolve(&mut self, frame: Frame<'_>, value: &Tracked) -> Handle {
        match value {
            Tracked::Unknown => Handle::Other,
            Tracked::String(text) => Handle::String(text.clone()),
            Tracked::Path(path) => self.path(frame, path),
            Tracked::Object(shape) => {
                let mut properties = Vec::with_capacity(shape.properties.len());
                for (name, value) in &shape.properties {
                    properties.push((name.clone(), self.resolve(frame, value)));
                }
                Handle::Object(properties, self.resolve_all(frame, &shape.spreads))
            }
            Tracked::Either(values) => Handle::Either(self.resolve_all(frame, values)),
        }
    }

    pub(super) fn resolve_all(&mut self, frame: Frame<'_>, values: &[Tracked]) -> Vec<Handle> {
        values.iter().map(|value| self.resolve(frame, value)).collect()
    }

    pub(super) fn path(&mut self, frame: Frame<'_>, path: &Path) -> Handle {
        let mut handle = match &path.root {
            Root::Parameter(index) => frame
                .parameters
                .get(usize::from(*index))
                .cloned()
                .unwrap_or(Handle::Other),
            Root::This => frame.this.clone(),
            Root::Construction(index) => match frame.constructions.get(usize::from(*index)) {
                Some(construction) => self.constructed(frame, construction),
                None => Handle::Other,
            },
            Root::Module(name) => return Handle::Module(frame.file, name.clone(), path.steps.clone()),
        };
        for step in &path.steps {
            handle = self.member(&handle, step);
        }
        handle
    }

    pub(super) fn member(&self, handle: &Handle, name: &Name) -> Handle {
        member(self.evaluator.modules, handle, name)
    }

    pub(super) fn arguments(&mut self, frame: Frame<'_>, call: &CallSite<'_>) -> Vec<(Handle, Place)> {
        call.arguments
            .iter()
            .map(|argument| (self.resolve(frame, &argument.value), frame.place(argument.span)))
            .collect()
    }

    /// The texts a handle may stand for; empty when one of them is not visible.
    pub(super) fn strings(&mut self, handle: &Handle, place: Place) -> Vec<Name> {
        match handle {
            Handle::String(text) => vec![text.clone()],
            Handle::Either(choices) => {
                let mut all = Vec::new();
                for choice in choices {
                    let texts = self.strings(choice, place);
                    if texts.is_empty() {
                        return Vec::new();
                    }
                    all.extend(texts);
                }
                all
            }
            Handle::Module(file, name, steps) => {
                let mut expression = Expression {
                    span: place.span,
                    kind: ExpressionKind::Name(name.clone()),
                };
                for step in steps {
                    if matches!(&**step, "[]" | "?") {
                        return Vec::new();
                    }
                    expression = Expression {
                        span: place.span,
                        kind: ExpressionKind::Member {
                            object: Box::new(expression),
                            name: step.clone(),
                            name_span: place.span,
                        },
                    };
                }
                match self.evaluator.quietly(*file, &expression) {
                    Some(Value::String(text)) => vec![text],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }
}
