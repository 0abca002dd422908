//! JSX: whatever it is given leaves sight.

use swc_core::ecma::ast;

use super::Walker;

impl<'ast> Walker<'_, 'ast> {
    pub(super) fn jsx_element(&mut self, element: &'ast ast::JSXElement) {
        for attribute in &element.opening.attrs {
            match attribute {
                ast::JSXAttrOrSpread::SpreadElement(spread) => {
                    let value = self.value(&spread.expr);
                    self.escape(value, &spread.expr);
                }
                ast::JSXAttrOrSpread::JSXAttr(attribute) => match &attribute.value {
                    Some(ast::JSXAttrValue::JSXExprContainer(container)) => self.jsx_container(container),
                    Some(ast::JSXAttrValue::JSXElement(element)) => self.jsx_element(element),
                    Some(ast::JSXAttrValue::JSXFragment(fragment)) => self.jsx_children(&fragment.children),
                    _ => {}
                },
            }
        }
        self.jsx_children(&element.children);
    }

    pub(super) fn jsx_children(&mut self, children: &'ast [ast::JSXElementChild]) {
        for child in children {
            match child {
                ast::JSXElementChild::JSXExprContainer(container) => self.jsx_container(container),
                ast::JSXElementChild::JSXSpreadChild(spread) => {
                    let value = self.value(&spread.expr);
                    self.escape(value, &spread.expr);
                }
                ast::JSXElementChild::JSXElement(element) => self.jsx_element(element),
                ast::JSXElementChild::JSXFragment(fragment) => self.jsx_children(&fragment.children),
                ast::JSXElementChild::JSXText(_) => {}
            }
        }
    }

    fn jsx_container(&mut self, container: &'ast ast::JSXExprContainer) {
        if let ast::JSXExpr::Expr(expr) = &container.expr {
            let value = self.value(expr);
            self.escape(value, expr);
        }
    }
}
