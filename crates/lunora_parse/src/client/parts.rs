//! The top level of a module in parts that stay or go one by one.

use rustc_hash::FxHashSet;
use swc_core::ecma::ast::{self, Id};
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{Visit, VisitWith};

/// A statement or declaration of the top level; a declaration of several variables is several parts.
pub(super) struct Part {
    pub(super) item: ast::ModuleItem,
    /// The names it binds.
    pub(super) declares: Vec<Id>,
    /// It is exported where it is declared.
    pub(super) is_exported: bool,
}

/// Divides a module, imports and exports of names apart.
pub(super) fn divide(body: Vec<ast::ModuleItem>) -> Divided {
    let mut divided = Divided::default();
    for item in body {
        divided.take(item);
    }
    divided
}

#[derive(Default)]
pub(super) struct Divided {
    pub(super) imports: Vec<ast::ImportDecl>,
    pub(super) parts: Vec<Part>,
    /// `export { a, b as c }`, without those from other modules.
    pub(super) exports: Vec<ast::NamedExport>,
}

impl Divided {
    fn take(&mut self, item: ast::ModuleItem) {
        match item {
            ast::ModuleItem::Stmt(ast::Stmt::Decl(declaration)) => self.declaration(declaration, None),
            ast::ModuleItem::Stmt(_) => self.parts.push(Part {
                item,
                declares: Vec::new(),
                is_exported: false,
            }),
            ast::ModuleItem::ModuleDecl(declaration) => match declaration {
                ast::ModuleDecl::Import(import) => self.imports.push(import),
                ast::ModuleDecl::ExportNamed(export) if export.src.is_none() => self.exports.push(export),
                ast::ModuleDecl::ExportDecl(export) => self.declaration(export.decl, Some(export.span)),
                ast::ModuleDecl::ExportDefaultDecl(export) => self.default_export(export),
                // What other files declare, and a value without a name, are no mutators, and nothing uses them.
                _ => {}
            },
        }
    }

    /// A function or class that has a name may be used by it.
    fn default_export(&mut self, export: ast::ExportDefaultDecl) {
        let name = match &export.decl {
            ast::DefaultDecl::Fn(function) => function.ident.as_ref(),
            ast::DefaultDecl::Class(class) => class.ident.as_ref(),
            ast::DefaultDecl::TsInterfaceDecl(_) => None,
        };
        if let Some(name) = name {
            let declares = vec![name.to_id()];
            self.parts.push(Part {
                item: ast::ModuleItem::ModuleDecl(ast::ModuleDecl::ExportDefaultDecl(export)),
                declares,
                is_exported: true,
            });
        }
    }

    fn declaration(&mut self, declaration: ast::Decl, exported: Option<swc_core::common::Span>) {
        match declaration {
            ast::Decl::Var(variables) => {
                let ast::VarDecl {
                    span,
                    ctxt,
                    kind,
                    declare,
                    decls,
                } = *variables;
                for variable in decls {
                    let declares = find_pat_ids(&variable.name);
                    let one = ast::Decl::Var(Box::new(ast::VarDecl {
                        span,
                        ctxt,
                        kind,
                        declare,
                        decls: vec![variable],
                    }));
                    self.part(one, declares, exported);
                }
            }
            ast::Decl::Fn(function) => {
                let declares = vec![function.ident.to_id()];
                self.part(ast::Decl::Fn(function), declares, exported);
            }
            ast::Decl::Class(class) => {
                let declares = vec![class.ident.to_id()];
                self.part(ast::Decl::Class(class), declares, exported);
            }
            ast::Decl::TsEnum(declaration) => {
                let declares = vec![declaration.id.to_id()];
                self.part(ast::Decl::TsEnum(declaration), declares, exported);
            }
            ast::Decl::TsModule(namespace) => {
                if let ast::TsModuleName::Ident(name) = &namespace.id {
                    let declares = vec![name.to_id()];
                    self.part(ast::Decl::TsModule(namespace), declares, exported);
                }
            }
            ast::Decl::Using(using) => {
                let declares = using.decls.iter().flat_map(|one| find_pat_ids(&one.name)).collect();
                self.part(ast::Decl::Using(using), declares, exported);
            }
            ast::Decl::TsInterface(_) | ast::Decl::TsTypeAlias(_) => {}
        }
    }

    fn part(&mut self, decl: ast::Decl, declares: Vec<Id>, exported: Option<swc_core::common::Span>) {
        let item = match exported {
            Some(span) => ast::ModuleItem::ModuleDecl(ast::ModuleDecl::ExportDecl(ast::ExportDecl { span, decl })),
            None => ast::ModuleItem::Stmt(ast::Stmt::Decl(decl)),
        };
        self.parts.push(Part {
            item,
            declares,
            is_exported: exported.is_some(),
        });
    }
}

impl Part {
    /// The variable, when it declares one by a plain name.
    pub(super) fn variable(&mut self) -> Option<&mut ast::VarDeclarator> {
        let declaration = match &mut self.item {
            ast::ModuleItem::ModuleDecl(ast::ModuleDecl::ExportDecl(export)) => &mut export.decl,
            ast::ModuleItem::Stmt(ast::Stmt::Decl(declaration)) => declaration,
            _ => return None,
        };
        let ast::Decl::Var(variables) = declaration else {
            return None;
        };
        variables
            .decls
            .first_mut()
            .filter(|variable| matches!(variable.name, ast::Pat::Ident(_)))
    }

    /// Every name in it that is more than a type. Names that are bound inside are among them, and mean themselves.
    pub(super) fn uses(&self) -> FxHashSet<Id> {
        let mut names = Names::default();
        self.item.visit_with(&mut names);
        names.0
    }
}

#[derive(Default)]
struct Names(FxHashSet<Id>);

impl Visit for Names {
    fn visit_ident(&mut self, identifier: &ast::Ident) {
        self.0.insert(identifier.to_id());
    }
    fn visit_ts_type(&mut self, _: &ast::TsType) {}
    fn visit_ts_type_ann(&mut self, _: &ast::TsTypeAnn) {}
    fn visit_ts_type_param_decl(&mut self, _: &ast::TsTypeParamDecl) {}
    fn visit_ts_type_param_instantiation(&mut self, _: &ast::TsTypeParamInstantiation) {}
    fn visit_ts_expr_with_type_args(&mut self, _: &ast::TsExprWithTypeArgs) {}
}
