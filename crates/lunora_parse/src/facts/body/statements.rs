//! Statements, in the order in which they run.

use swc_core::ecma::ast;

use super::steps::{element_step, into_step};
use super::{Body, Bound, Walker};
use crate::facts::Tracked;
use crate::facts::expression::strip_types;

impl<'ast> Walker<'_, 'ast> {
    pub(super) fn statements(&mut self, statements: &'ast [ast::Stmt]) {
        let mark = self.scope.len();
        // Function declarations are visible before their place.
        for statement in statements {
            if let ast::Stmt::Decl(ast::Decl::Fn(declaration)) = statement {
                self.declare(&declaration.ident, &declaration.function);
            }
        }
        for statement in statements {
            self.statement(statement);
        }
        self.leave(mark);
    }

    /// Statements with a `this` of their own, which is not followed.
    pub(super) fn statements_with_other_this(&mut self, statements: &'ast [ast::Stmt]) {
        let this = self.this.take();
        self.statements(statements);
        self.this = this;
    }

    fn statement(&mut self, statement: &'ast ast::Stmt) {
        match statement {
            ast::Stmt::Expr(statement) => {
                self.value(&statement.expr);
            }
            ast::Stmt::Block(block) => self.statements(&block.stmts),
            ast::Stmt::Decl(declaration) => match declaration {
                ast::Decl::Var(variables) => self.variables(variables),
                ast::Decl::Fn(_) => {}
                ast::Decl::Class(class) => {
                    self.scope
                        .push((class.ident.sym.clone(), Bound::Value(Tracked::Unknown)));
                    self.class(&class.class);
                }
                _ => {}
            },
            ast::Stmt::Return(statement) => {
                if let Some(expr) = &statement.arg {
                    let value = self.value(expr);
                    self.escape(value, expr);
                }
            }
            ast::Stmt::If(statement) => {
                self.value(&statement.test);
                self.statement(&statement.cons);
                if let Some(alternative) = &statement.alt {
                    self.statement(alternative);
                }
            }
            ast::Stmt::ForOf(statement) => {
                let mark = self.scope.len();
                let items = self.value(&statement.right);
                let item = into_step(items, &element_step());
                self.head(&statement.left, &item);
                self.statement(&statement.body);
                self.leave(mark);
            }
            ast::Stmt::ForIn(statement) => {
                let mark = self.scope.len();
                self.value(&statement.right);
                self.head(&statement.left, &Tracked::Unknown);
                self.statement(&statement.body);
                self.leave(mark);
            }
            ast::Stmt::For(statement) => {
                let mark = self.scope.len();
                match &statement.init {
                    Some(ast::VarDeclOrExpr::VarDecl(variables)) => self.variables(variables),
                    Some(ast::VarDeclOrExpr::Expr(expr)) => {
                        self.value(expr);
                    }
                    None => {}
                }
                for expr in [&statement.test, &statement.update].into_iter().flatten() {
                    self.value(expr);
                }
                self.statement(&statement.body);
                self.leave(mark);
            }
            ast::Stmt::While(statement) => {
                self.value(&statement.test);
                self.statement(&statement.body);
            }
            ast::Stmt::DoWhile(statement) => {
                self.statement(&statement.body);
                self.value(&statement.test);
            }
            ast::Stmt::Labeled(statement) => self.statement(&statement.body),
            ast::Stmt::Switch(statement) => {
                self.value(&statement.discriminant);
                let mark = self.scope.len();
                for case in &statement.cases {
                    if let Some(test) = &case.test {
                        self.value(test);
                    }
                    for statement in &case.cons {
                        if let ast::Stmt::Decl(ast::Decl::Fn(declaration)) = statement {
                            self.declare(&declaration.ident, &declaration.function);
                        }
                        self.statement(statement);
                    }
                }
                self.leave(mark);
            }
            ast::Stmt::Throw(statement) => {
                self.value(&statement.arg);
            }
            ast::Stmt::Try(statement) => {
                self.statements(&statement.block.stmts);
                if let Some(handler) = &statement.handler {
                    let mark = self.scope.len();
                    if let Some(parameter) = &handler.param {
                        self.bind(parameter, &Tracked::Unknown);
                    }
                    self.statements(&handler.body.stmts);
                    self.leave(mark);
                }
                if let Some(finalizer) = &statement.finalizer {
                    self.statements(&finalizer.stmts);
                }
            }
            ast::Stmt::With(_)
            | ast::Stmt::Empty(_)
            | ast::Stmt::Debugger(_)
            | ast::Stmt::Break(_)
            | ast::Stmt::Continue(_) => {}
        }
    }

    fn head(&mut self, head: &'ast ast::ForHead, value: &Tracked) {
        match head {
            ast::ForHead::VarDecl(variables) => {
                for variable in &variables.decls {
                    self.bind(&variable.name, value);
                }
            }
            ast::ForHead::UsingDecl(_) => {}
            ast::ForHead::Pat(pattern) => self.assign_pattern(pattern, value),
        }
    }

    fn variables(&mut self, variables: &'ast ast::VarDecl) {
        for variable in &variables.decls {
            match (&variable.name, variable.init.as_deref().map(strip_types)) {
                (ast::Pat::Ident(name), Some(ast::Expr::Arrow(arrow))) => {
                    let body = match &*arrow.body {
                        ast::ArrowFunctionBody::Expr(expr) => Body::Expression(expr),
                        ast::ArrowFunctionBody::FunctionBody(body) => Body::Statements(&body.stmts),
                    };
                    self.local(name.sym.clone(), arrow.params.iter().collect(), body, true);
                }
                (ast::Pat::Ident(name), Some(ast::Expr::Fn(function))) => {
                    self.declare(&name.id, &function.function);
                }
                (pattern, Some(expr)) => {
                    let value = self.value(expr);
                    self.bind(pattern, &value);
                }
                (ast::Pat::Ident(name), None) => self.scope.push((name.sym.clone(), Bound::Unset)),
                (pattern, None) => self.bind(pattern, &Tracked::Unknown),
            }
        }
    }
}
