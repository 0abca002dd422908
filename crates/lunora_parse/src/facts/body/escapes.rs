//! Values that leave sight.

use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::Walker;
use crate::facts::{Event, Path, Root, Tracked};

impl Walker<'_, '_> {
    /// Records that a value goes where it is not followed.
    pub(super) fn escape(&mut self, value: Tracked, expr: &ast::Expr) {
        let span = self.positions.span(expr.span());
        self.escape_at(value, span);
    }

    pub(super) fn escape_at(&mut self, value: Tracked, span: lunora_diagnostics::Span) {
        match value {
            Tracked::Path(path) => {
                if !matches!(path.root, Root::Module(_)) && !is_argument_path(&path) {
                    self.events.push(Event::Escape { value: *path, span });
                }
            }
            Tracked::Object(shape) => {
                for (_, value) in shape.properties {
                    self.escape_at(value, span);
                }
                for value in shape.spreads {
                    self.escape_at(value, span);
                }
            }
            Tracked::Either(values) => {
                for value in values {
                    self.escape_at(value, span);
                }
            }
            Tracked::Unknown | Tracked::String(_) => {}
        }
    }
}

/// `args.x` of a handler: plain data, whatever happens to it.
pub(super) fn is_argument_path(path: &Path) -> bool {
    matches!(path.root, Root::Parameter(_)) && path.steps.first().is_some_and(|step| &**step == "args")
}

pub(super) fn may_hold_handle(value: &Tracked) -> bool {
    match value {
        Tracked::Path(path) => !matches!(path.root, Root::Module(_)) && !is_argument_path(path),
        Tracked::Object(shape) => {
            shape.properties.iter().any(|(_, value)| may_hold_handle(value))
                || shape.spreads.iter().any(may_hold_handle)
        }
        Tracked::Either(values) => values.iter().any(may_hold_handle),
        Tracked::Unknown | Tracked::String(_) => false,
    }
}
