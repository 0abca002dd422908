//! The relations that an options object asks for by `with`.

use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::Walker;
use crate::facts::WithShape;
use crate::facts::expression::{strip_types, text};

impl Walker<'_, '_> {
    /// `{ with: { author: true, replies: { with: { … } } } }`
    pub(super) fn with_shape(&self, expr: &ast::Expr) -> Option<WithShape> {
        let ast::Expr::Object(options) = strip_types(expr) else {
            return None;
        };
        let value = property_value(options, "with")?;
        let ast::Expr::Object(relations) = strip_types(value) else {
            return None;
        };
        let mut shape = WithShape::default();
        for property in &relations.props {
            let ast::PropOrSpread::Prop(property) = property else {
                continue;
            };
            let ast::Prop::KeyValue(pair) = &**property else {
                continue;
            };
            let name = match &pair.key {
                ast::PropName::Ident(name) => name.sym.clone(),
                ast::PropName::Str(string) => text(&string.value),
                _ => continue,
            };
            if matches!(strip_types(&pair.value), ast::Expr::Lit(ast::Lit::Bool(boolean)) if !boolean.value) {
                continue;
            }
            let nested = self.with_shape(&pair.value).unwrap_or_default();
            shape
                .relations
                .push((name, self.positions.span(pair.key.span()), nested));
        }
        Some(shape)
    }
}

fn property_value<'object>(object: &'object ast::ObjectLit, wanted: &str) -> Option<&'object ast::Expr> {
    object.props.iter().find_map(|property| {
        let ast::PropOrSpread::Prop(property) = property else {
            return None;
        };
        let ast::Prop::KeyValue(pair) = &**property else {
            return None;
        };
        let found = match &pair.key {
            ast::PropName::Ident(name) => &*name.sym == wanted,
            ast::PropName::Str(string) => &*text(&string.value) == wanted,
            _ => false,
        };
        found.then_some(&*pair.value)
    })
}
