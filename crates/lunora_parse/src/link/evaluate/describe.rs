//! Expressions as a diagnostic names them.

use crate::facts::{Expression, ExpressionKind};

/// An expression for a message, short: names and members as written, anything else by what it is.
pub(in crate::link) fn describe(expression: &Expression) -> String {
    match written(expression) {
        Some(text) => format!("`{text}`"),
        None => match &expression.kind {
            ExpressionKind::Opaque(what) => (*what).to_owned(),
            ExpressionKind::Object(_) => "the object".to_owned(),
            ExpressionKind::Array(_) => "the array".to_owned(),
            ExpressionKind::Function(_) | ExpressionKind::Lambda { .. } => "the function".to_owned(),
            _ => "the expression".to_owned(),
        },
    }
}

fn written(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Name(name) => Some(name.to_string()),
        ExpressionKind::String(text) if text.len() <= 60 => Some(format!("{text:?}")),
        ExpressionKind::Number(number) => Some(crate::facts::number_text(*number)),
        ExpressionKind::Boolean(boolean) => Some(boolean.to_string()),
        ExpressionKind::Null => Some("null".to_owned()),
        ExpressionKind::Member { object, name, .. } => written(object).map(|object| format!("{object}.{name}")),
        ExpressionKind::Call(call) => written(&call.callee).map(|callee| format!("{callee}(…)")),
        _ => None,
    }
}
