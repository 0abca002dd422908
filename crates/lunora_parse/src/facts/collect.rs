//! Facts of a whole module.

use lunora_diagnostics::Span;
use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::environment::environment_reads;
use super::expression::text;
use super::mail::mail_calls;
use super::{
    Binding, BindingKind, DEFAULT_BINDING, Export, ExportAll, ExportTarget, Expression, ExpressionKind, FileFacts,
    Import, Imported, Name,
};
use crate::position::Positions;

/// Reads the facts of a module.
pub(crate) fn collect(module: &ast::Module, positions: Positions<'_>) -> FileFacts {
    let mut collector = Collector {
        positions,
        facts: FileFacts::default(),
        makers: 0,
    };
    for item in &module.body {
        match item {
            ast::ModuleItem::ModuleDecl(declaration) => collector.module_declaration(declaration),
            ast::ModuleItem::Stmt(ast::Stmt::Decl(declaration)) => {
                collector.declaration(declaration, false);
            }
            ast::ModuleItem::Stmt(ast::Stmt::Expr(statement)) => collector.statement(&statement.expr),
            ast::ModuleItem::Stmt(_) => {}
        }
    }
    collector.facts.environment = environment_reads(module, positions);
    collector.facts.mail = mail_calls(module, &collector.facts.imports, positions);
    collector.facts
}

pub(super) struct Collector<'source> {
    pub(super) positions: Positions<'source>,
    pub(super) facts: FileFacts,
    /// Functions around the one being analysed that directly return it.
    pub(super) makers: u32,
}

impl Collector<'_> {
    pub(super) fn span(&self, span: swc_core::common::Span) -> Span {
        self.positions.span(span)
    }

    pub(super) fn source_text(&self, span: Span) -> &str {
        self.positions.text(span)
    }

    /// Only what a chain of methods could be is kept: nothing else at the top level declares anything.
    fn statement(&mut self, expression: &ast::Expr) {
        if let ast::Expr::Call(call) = expression
            && let ast::Callee::Expr(callee) = &call.callee
            && let ast::Expr::Member(member) = &**callee
            && matches!(&*member.obj, ast::Expr::Ident(_) | ast::Expr::Call(_))
        {
            let expression = self.expression(expression);
            self.facts.statements.push(expression);
        }
    }

    fn module_declaration(&mut self, declaration: &ast::ModuleDecl) {
        match declaration {
            ast::ModuleDecl::Import(import) if !import.type_only => self.import(import),
            ast::ModuleDecl::ExportDecl(export) => self.declaration(&export.decl, true),
            ast::ModuleDecl::ExportNamed(export) if !export.type_only => self.export_named(export),
            ast::ModuleDecl::ExportDefaultExpr(export) => {
                let span = self.span(export.span);
                let value = self.expression(&export.expr);
                self.export_default(span, BindingKind::Constant(value));
            }
            ast::ModuleDecl::ExportDefaultDecl(export) => {
                let span = self.span(export.span);
                match &export.decl {
                    ast::DefaultDecl::Fn(function) => {
                        let index = self.function(&function.function);
                        if let Some(identifier) = &function.ident {
                            self.bind(identifier, BindingKind::Function(index));
                        }
                        self.export_default(span, BindingKind::Function(index));
                    }
                    ast::DefaultDecl::Class(class) => {
                        let index = self.class(&class.class);
                        if let Some(identifier) = &class.ident {
                            self.bind(identifier, BindingKind::Class(index));
                        }
                        self.export_default(span, BindingKind::Class(index));
                    }
                    ast::DefaultDecl::TsInterfaceDecl(_) => {}
                }
            }
            ast::ModuleDecl::ExportAll(export) if !export.type_only => {
                self.facts.export_all.push(ExportAll {
                    specifier: text(&export.src.value),
                });
            }
            _ => {}
        }
    }

    fn import(&mut self, import: &ast::ImportDecl) {
        let specifier = text(&import.src.value);
        let specifier_span = self.span(import.src.span);
        for binding in &import.specifiers {
            if binding.is_type_only() {
                continue;
            }
            let local = binding.local().sym.clone();
            let imported = match binding {
                ast::ImportSpecifier::Named(named) => {
                    Imported::Named(named.imported.as_ref().map_or_else(|| local.clone(), export_name))
                }
                ast::ImportSpecifier::Default(_) => Imported::Named("default".into()),
                ast::ImportSpecifier::Namespace(_) => Imported::Namespace,
            };
            let span = self.span(binding.span());
            self.facts.imports.insert(
                local,
                Import {
                    specifier: specifier.clone(),
                    imported,
                    span,
                    specifier_span,
                },
            );
        }
    }

    fn export_named(&mut self, export: &ast::NamedExport) {
        for specifier in &export.specifiers {
            let span = self.span(specifier.span());
            let (name, local) = match specifier {
                ast::ExportSpecifier::Named(named) if named.is_type_only => continue,
                ast::ExportSpecifier::Named(named) => {
                    let local = export_name(&named.orig);
                    let name = named.exported.as_ref().map_or_else(|| local.clone(), export_name);
                    (name, Imported::Named(local))
                }
                ast::ExportSpecifier::Namespace(namespace) => (export_name(&namespace.name), Imported::Namespace),
                ast::ExportSpecifier::Default(default) => {
                    (default.exported.sym.clone(), Imported::Named("default".into()))
                }
            };
            let target = match (&export.src, local) {
                (Some(source), name) => ExportTarget::From {
                    specifier: text(&source.value),
                    name,
                },
                (None, Imported::Named(local)) => ExportTarget::Local(local),
                (None, Imported::Namespace) => continue,
            };
            self.facts.exports.push(Export { name, span, target });
        }
    }

    fn export_default(&mut self, span: Span, kind: BindingKind) {
        self.facts
            .bindings
            .insert(DEFAULT_BINDING.into(), Binding { span, kind });
        self.facts.exports.push(Export {
            name: "default".into(),
            span,
            target: ExportTarget::Local(DEFAULT_BINDING.into()),
        });
    }

    fn bind(&mut self, identifier: &ast::Ident, kind: BindingKind) {
        let span = self.span(identifier.span);
        self.facts
            .bindings
            .insert(identifier.sym.clone(), Binding { span, kind });
    }

    fn export_local(&mut self, name: &Name, span: Span) {
        self.facts.exports.push(Export {
            name: name.clone(),
            span,
            target: ExportTarget::Local(name.clone()),
        });
    }

    fn declaration(&mut self, declaration: &ast::Decl, exported: bool) {
        match declaration {
            ast::Decl::Var(variables) => {
                let constant = variables.kind == ast::VarDeclKind::Const && !variables.declare;
                for variable in &variables.decls {
                    self.variable(variable, constant, exported);
                }
            }
            ast::Decl::Fn(function) if function.function.body.is_some() => {
                let index = self.function(&function.function);
                self.named(&function.ident, BindingKind::Function(index), exported);
            }
            ast::Decl::Class(class) => {
                let index = self.class(&class.class);
                self.named(&class.ident, BindingKind::Class(index), exported);
            }
            ast::Decl::TsEnum(declaration) => {
                self.named(
                    &declaration.id,
                    BindingKind::Other("an enum; write an object with `as const`"),
                    exported,
                );
            }
            ast::Decl::TsModule(module) => {
                if let ast::TsModuleName::Ident(identifier) = &module.id {
                    self.named(identifier, BindingKind::Other("a namespace"), exported);
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, identifier: &ast::Ident, kind: BindingKind, exported: bool) {
        self.bind(identifier, kind);
        if exported {
            let span = self.span(identifier.span);
            self.export_local(&identifier.sym, span);
        }
    }

    fn variable(&mut self, variable: &ast::VarDeclarator, constant: bool, exported: bool) {
        if let ast::Pat::Ident(identifier) = &variable.name {
            let kind = match (&variable.init, constant) {
                (Some(value), true) => BindingKind::Constant(self.expression(value)),
                (Some(value), false) => {
                    // The functions of a `let` are still worth following; its value is not.
                    self.expression(value);
                    BindingKind::Other("a variable that may change; write `const`")
                }
                (None, _) => BindingKind::Other("declared without a value"),
            };
            self.named(&identifier.id, kind, exported);
            return;
        }
        let value = variable.init.as_ref().map(|value| self.expression(value));
        let value = value.filter(|_| constant);
        self.pattern(&variable.name, value, exported);
    }

    /// Binds every name of a destructuring pattern, to the member it stands for where that is plain.
    fn pattern(&mut self, pattern: &ast::Pat, value: Option<Expression>, exported: bool) {
        match pattern {
            ast::Pat::Ident(identifier) => {
                let kind = value.map_or(
                    BindingKind::Other("part of a destructuring that static reading does not follow"),
                    BindingKind::Constant,
                );
                self.named(&identifier.id, kind, exported);
            }
            ast::Pat::Object(object) => {
                for property in &object.props {
                    match property {
                        ast::ObjectPatProp::KeyValue(pair) => {
                            let member = match &pair.key {
                                ast::PropName::Ident(name) => value
                                    .clone()
                                    .map(|value| member(value, name.sym.clone(), self.span(name.span))),
                                _ => None,
                            };
                            self.pattern(&pair.value, member, exported);
                        }
                        ast::ObjectPatProp::Assign(shorthand) => {
                            let identifier = &shorthand.key.id;
                            let member = value
                                .clone()
                                .filter(|_| shorthand.value.is_none())
                                .map(|value| member(value, identifier.sym.clone(), self.span(identifier.span)));
                            self.pattern(&ast::Pat::Ident(shorthand.key.clone()), member, exported);
                        }
                        ast::ObjectPatProp::Rest(rest) => self.pattern(&rest.arg, None, exported),
                    }
                }
            }
            ast::Pat::Array(array) => {
                for element in array.elems.iter().flatten() {
                    self.pattern(element, None, exported);
                }
            }
            ast::Pat::Rest(rest) => self.pattern(&rest.arg, None, exported),
            ast::Pat::Assign(assign) => self.pattern(&assign.left, None, exported),
            ast::Pat::Invalid(_) | ast::Pat::Expr(_) => {}
        }
    }
}

fn member(object: Expression, name: Name, name_span: Span) -> Expression {
    Expression {
        span: name_span,
        kind: ExpressionKind::Member {
            object: Box::new(object),
            name,
            name_span,
        },
    }
}

fn export_name(name: &ast::ModuleExportName) -> Name {
    match name {
        ast::ModuleExportName::Ident(identifier) => identifier.sym.clone(),
        ast::ModuleExportName::Str(string) => text(&string.value),
    }
}
