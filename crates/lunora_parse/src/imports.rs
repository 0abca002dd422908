//! The modules a file loads when it runs.

use lunora_diagnostics::Span;
use serde::Serialize;
use swc_core::ecma::ast;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::position::Positions;

/// How a module is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ModuleImportKind {
    /// `import … from "x"` or `import "x"`
    Static,
    /// `export … from "x"`
    ReExport,
    /// `import("x")` with a string
    Dynamic,
}

/// A module that a file asks for. Imports of types alone are not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleImport {
    /// As written.
    pub specifier: String,
    /// How it is asked for.
    pub kind: ModuleImportKind,
    /// The string literal, quotes included.
    pub span: Span,
}

/// Lists the modules that a syntax tree asks for, in source order.
pub(crate) fn list(module: &ast::Module, positions: Positions<'_>) -> Vec<ModuleImport> {
    let mut lister = Lister {
        positions,
        imports: Vec::new(),
    };
    for item in &module.body {
        let ast::ModuleItem::ModuleDecl(declaration) = item else {
            continue;
        };
        match declaration {
            ast::ModuleDecl::Import(import) if !import.type_only => {
                let only_types =
                    !import.specifiers.is_empty() && import.specifiers.iter().all(ast::ImportSpecifier::is_type_only);
                if !only_types {
                    lister.push(&import.src, ModuleImportKind::Static);
                }
            }
            ast::ModuleDecl::ExportNamed(export) if !export.type_only => {
                let only_types = !export.specifiers.is_empty()
                    && export
                        .specifiers
                        .iter()
                        .all(|specifier| matches!(specifier, ast::ExportSpecifier::Named(named) if named.is_type_only));
                if let (Some(source), false) = (&export.src, only_types) {
                    lister.push(source, ModuleImportKind::ReExport);
                }
            }
            ast::ModuleDecl::ExportAll(export) if !export.type_only => {
                lister.push(&export.src, ModuleImportKind::ReExport);
            }
            _ => {}
        }
    }
    // Most files have no `import(…)`; looking for the text is far cheaper than a walk.
    if positions.parsed().contains("import(") || positions.parsed().contains("import (") {
        module.visit_with(&mut lister);
    }
    lister.imports.sort_by_key(|import| import.span);
    lister.imports
}

struct Lister<'source> {
    positions: Positions<'source>,
    imports: Vec<ModuleImport>,
}

impl Lister<'_> {
    fn push(&mut self, source: &ast::Str, kind: ModuleImportKind) {
        self.imports.push(ModuleImport {
            specifier: source.value.to_atom_lossy().to_string(),
            kind,
            span: self.positions.span(source.span),
        });
    }
}

impl Visit for Lister<'_> {
    fn visit_call_expr(&mut self, call: &ast::CallExpr) {
        if let (ast::Callee::Import(_), Some(argument)) = (&call.callee, call.args.first())
            && let ast::Expr::Lit(ast::Lit::Str(source)) = &*argument.expr
        {
            self.push(source, ModuleImportKind::Dynamic);
        }
        call.visit_children_with(self);
    }
}
