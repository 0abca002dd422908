//! What a function does with its parameters: the calls they take part in and where they leave sight.
//!
//! Values are followed by name through constants, destructuring, nested functions and object
//! literals. Nothing is decided here about what a parameter *is*; that depends on who calls the
//! function and is known when files are linked.

use swc_core::common::Spanned;
use swc_core::ecma::ast;

use super::collect::Collector;
use super::expression::{strip_types, template_text, text};
use super::{
    Construction, Event, FunctionFacts, Moment, Name, ObjectShape, Path, Root, Tracked, TrackedArgument, WithShape,
};
use crate::position::Positions;

/// The step to an element of an array.
fn element_step() -> Name {
    "[]".into()
}

/// The step to a property whose name is not visible.
fn hidden_step() -> Name {
    "?".into()
}

/// How often the local functions of one function are walked again for the arguments of a call.
const MAX_INLINED_CALLS: u32 = 64;
/// How deep such walks nest.
const MAX_INLINE_DEPTH: u32 = 8;
/// A function that makes a function that makes a function is followed this far.
const MAX_MAKERS: u32 = 3;
/// A function that takes any number of arguments is followed for so many.
const MAX_PARAMETERS: usize = 16;
/// Property accesses are followed this far; deeper is plain data.
const MAX_STEPS: usize = 8;

/// Methods that hand each element of their receiver to the first parameter of their first argument.
const ELEMENT_CALLBACKS: &[&str] = &[
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "flatMap",
    "forEach",
    "map",
    "some",
];

/// Calls of globals that answer something else every time: the global, the steps to what is called, and both as written.
const MOMENTS: &[(&str, &[&str], &str)] = &[
    ("Date", &[], "Date()"),
    ("Date", &["now"], "Date.now()"),
    ("Math", &["random"], "Math.random()"),
    ("crypto", &["getRandomValues"], "crypto.getRandomValues()"),
    ("crypto", &["randomUUID"], "crypto.randomUUID()"),
    ("fetch", &[], "fetch()"),
    ("performance", &["now"], "performance.now()"),
    ("setInterval", &[], "setInterval()"),
    ("setTimeout", &[], "setTimeout()"),
];

impl Collector<'_> {
    pub(super) fn arrow(&mut self, arrow: &ast::ArrowExpr) -> u32 {
        let parameters: Vec<&ast::Pat> = arrow.params.iter().collect();
        let body = match &*arrow.body {
            ast::ArrowFunctionBody::Expr(expr) => Body::Expression(expr),
            ast::ArrowFunctionBody::FunctionBody(body) => Body::Statements(&body.stmts),
        };
        self.analyze(arrow.span, &parameters, body)
    }

    pub(super) fn function(&mut self, function: &ast::Function) -> u32 {
        let parameters = parameters_of(function);
        let body = function
            .body
            .as_ref()
            .map_or(Body::Statements(&[]), |body| Body::Statements(&body.stmts));
        self.analyze(function.span, &parameters, body)
    }

    fn analyze(&mut self, span: swc_core::common::Span, parameters: &[&ast::Pat], body: Body<'_>) -> u32 {
        // A function made by a function (`const guard = (role) => async ({ ctx, next }) => …`) gets
        // facts of its own: whoever receives it calls it with values of its own.
        self.makers += 1;
        let returns_function = returned_function(body)
            .filter(|_| self.makers <= MAX_MAKERS)
            .map(|returned| match returned {
                Returned::Arrow(arrow) => self.arrow(arrow),
                Returned::Function(function) => self.function(function),
            });
        self.makers -= 1;
        let mut walker = Walker::new(self.positions, None);
        walker.parameters(parameters);
        walker.body(body);
        self.finish(span, walker, returns_function)
    }

    /// Keeps what a walker found as the facts of a function.
    pub(super) fn finish(
        &mut self,
        span: swc_core::common::Span,
        mut walker: Walker<'_, '_>,
        returns_function: Option<u32>,
    ) -> u32 {
        walker.leave(0);
        let facts = FunctionFacts {
            span: self.span(span),
            events: walker.events,
            returns_function,
            constructions: walker.constructions,
            moments: walker.moments,
        };
        self.facts.functions.push(facts);
        u32::try_from(self.facts.functions.len() - 1).unwrap_or(u32::MAX)
    }
}

fn root(root: Root) -> Tracked {
    Tracked::Path(Box::new(Path {
        root,
        steps: Vec::new(),
    }))
}

/// The parameters that there are when it runs: `this` is one for the type checker only.
pub(super) fn parameters_of(function: &ast::Function) -> Vec<&ast::Pat> {
    let is_this = |pattern: &ast::Pat| matches!(pattern, ast::Pat::Ident(name) if &*name.sym == "this");
    function
        .params
        .iter()
        .map(|parameter| &parameter.pat)
        .filter(|pattern| !is_this(pattern))
        .collect()
}

/// A parameter as the function that has it sees it.
pub(super) fn parameter_value(index: usize) -> Tracked {
    root(Root::Parameter(u16::try_from(index).unwrap_or(u16::MAX)))
}

#[derive(Clone, Copy)]
pub(super) enum Body<'ast> {
    Expression(&'ast ast::Expr),
    Statements(&'ast [ast::Stmt]),
}

enum Returned<'ast> {
    Arrow(&'ast ast::ArrowExpr),
    Function(&'ast ast::Function),
}

fn returned_function(body: Body<'_>) -> Option<Returned<'_>> {
    let expr = match body {
        Body::Expression(expr) => expr,
        Body::Statements(statements) => match statements.last()? {
            ast::Stmt::Return(statement) => statement.arg.as_deref()?,
            _ => return None,
        },
    };
    match strip_types(expr) {
        ast::Expr::Arrow(arrow) => Some(Returned::Arrow(arrow)),
        ast::Expr::Fn(function) => Some(Returned::Function(&function.function)),
        _ => None,
    }
}

/// A function declared inside the one being walked.
#[derive(Clone)]
struct LocalFunction<'ast> {
    parameters: Vec<&'ast ast::Pat>,
    body: Body<'ast>,
    /// How many names were in scope where it was declared.
    visible: usize,
    walked: bool,
    active: bool,
    /// Its `this` is that of the function around it.
    is_arrow: bool,
}

#[derive(Clone)]
enum Bound {
    /// `let name;`
    Unset,
    Value(Tracked),
    Function(usize),
}

pub(super) struct Walker<'source, 'ast> {
    positions: Positions<'source>,
    events: Vec<Event>,
    constructions: Vec<Construction>,
    moments: Vec<Moment>,
    /// What `this` is, where that is tracked.
    this: Option<Tracked>,
    /// What a constructor assigns to `this`; `None` elsewhere.
    pub(super) fields: Option<Vec<(Name, Tracked)>>,
    /// Names in scope, innermost last.
    scope: Vec<(Name, Bound)>,
    locals: Vec<LocalFunction<'ast>>,
    inlined: u32,
    depth: u32,
}

impl<'source, 'ast> Walker<'source, 'ast> {
    /// `this` is a root when the function is a method.
    pub(super) fn new(positions: Positions<'source>, this: Option<Root>) -> Self {
        Self {
            positions,
            events: Vec::new(),
            constructions: Vec::new(),
            moments: Vec::new(),
            this: this.map(root),
            fields: None,
            scope: Vec::new(),
            locals: Vec::new(),
            inlined: 0,
            depth: 0,
        }
    }

    pub(super) fn body(&mut self, body: Body<'ast>) {
        match body {
            Body::Expression(expr) => {
                let value = self.value(expr);
                // A returned function is analysed on its own as well.
                self.escape(value, expr);
            }
            Body::Statements(statements) => self.statements(statements),
        }
    }

    fn statements(&mut self, statements: &'ast [ast::Stmt]) {
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

    pub(super) fn leave(&mut self, mark: usize) {
        // A local function that nobody called by name may still run: as a callback, say.
        let locals: Vec<usize> = self.scope[mark..]
            .iter()
            .filter_map(|(_, bound)| match bound {
                Bound::Function(index) => Some(*index),
                Bound::Value(_) | Bound::Unset => None,
            })
            .collect();
        for index in locals {
            if !self.locals[index].walked {
                self.enter(index, &[]);
            }
        }
        self.scope.truncate(mark);
    }

    fn declare(&mut self, identifier: &ast::Ident, function: &'ast ast::Function) {
        let Some(body) = &function.body else { return };
        let parameters = parameters_of(function);
        self.local(identifier.sym.clone(), parameters, Body::Statements(&body.stmts), false);
    }

    fn local(&mut self, name: Name, parameters: Vec<&'ast ast::Pat>, body: Body<'ast>, is_arrow: bool) {
        let index = self.locals.len();
        self.locals.push(LocalFunction {
            parameters,
            body,
            visible: self.scope.len() + 1,
            walked: false,
            active: false,
            is_arrow,
        });
        self.scope.push((name, Bound::Function(index)));
    }

    /// Walks the body of a local function with its parameters bound to the given values.
    fn enter(&mut self, index: usize, arguments: &[Tracked]) -> bool {
        let local = &mut self.locals[index];
        if local.active {
            return true;
        }
        if self.inlined >= MAX_INLINED_CALLS || self.depth >= MAX_INLINE_DEPTH {
            return false;
        }
        local.walked = true;
        local.active = true;
        let (parameters, body, visible) = (local.parameters.clone(), local.body, local.visible);
        let this = if local.is_arrow {
            self.this.clone()
        } else {
            self.this.take()
        };
        self.inlined += 1;
        self.depth += 1;
        // Names declared later in the enclosing scopes are visible too by the time it runs; those
        // of an unrelated inner scope are not, but shadowing there is rare and only adds findings.
        let mark = self.scope.len().max(visible);
        self.bind_arguments(&parameters, arguments);
        self.body(body);
        self.leave(mark.min(self.scope.len()));
        self.this = this;
        self.depth -= 1;
        self.locals[index].active = false;
        true
    }

    /// A function written in place, run with the given arguments.
    fn inline(&mut self, function: Inline<'ast>, arguments: &[Tracked]) {
        let mark = self.scope.len();
        match function {
            Inline::Arrow(arrow) => {
                let parameters: Vec<&ast::Pat> = arrow.params.iter().collect();
                self.bind_arguments(&parameters, arguments);
                match &*arrow.body {
                    ast::ArrowFunctionBody::Expr(expr) => {
                        let value = self.value(expr);
                        self.escape(value, expr);
                    }
                    ast::ArrowFunctionBody::FunctionBody(body) => self.statements(&body.stmts),
                }
            }
            Inline::Function(function) => {
                let this = self.this.take();
                self.bind_arguments(&parameters_of(function), arguments);
                if let Some(body) = &function.body {
                    self.statements(&body.stmts);
                }
                self.leave(mark);
                self.this = this;
                return;
            }
        }
        self.leave(mark);
    }

    /// Binds the parameters of a function to what it is called with.
    fn bind_arguments(&mut self, parameters: &[&'ast ast::Pat], arguments: &[Tracked]) {
        for (index, parameter) in parameters.iter().enumerate() {
            let value = arguments.get(index).unwrap_or(&Tracked::Unknown).clone();
            self.bind(parameter, &value);
        }
        if let Some(rest @ ast::Pat::Rest(_)) = parameters.last() {
            for value in arguments.iter().skip(parameters.len()) {
                self.escape_at(value.clone(), self.positions.span(rest.span()));
            }
        }
    }

    /// Binds the parameters of a function whose callers are not known yet.
    pub(super) fn parameters(&mut self, parameters: &[&'ast ast::Pat]) {
        let count = match parameters.last() {
            Some(ast::Pat::Rest(_)) => MAX_PARAMETERS,
            _ => parameters.len(),
        };
        let values: Vec<Tracked> = (0..count).map(parameter_value).collect();
        self.bind_arguments(parameters, &values);
    }

    /// `arguments` holds whatever the function was called with.
    fn all_arguments_escape(&mut self, span: lunora_diagnostics::Span) {
        for index in 0..MAX_PARAMETERS {
            self.escape_at(parameter_value(index), span);
        }
    }

    /// Statements with a `this` of their own, which is not followed.
    fn statements_with_other_this(&mut self, statements: &'ast [ast::Stmt]) {
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

    /// Binds the names of a pattern to the parts of a value.
    pub(super) fn bind(&mut self, pattern: &'ast ast::Pat, value: &Tracked) {
        match pattern {
            ast::Pat::Ident(identifier) => {
                self.scope.push((identifier.sym.clone(), Bound::Value(value.clone())));
            }
            ast::Pat::Object(object) => {
                for property in &object.props {
                    match property {
                        ast::ObjectPatProp::KeyValue(pair) => {
                            let part = match &pair.key {
                                ast::PropName::Ident(name) => {
                                    self.looked_at(value, &name.sym, name.span);
                                    step(value, &name.sym)
                                }
                                ast::PropName::Str(string) => step(value, &text(&string.value)),
                                ast::PropName::Computed(computed) => match self.value(&computed.expr) {
                                    Tracked::String(name) => step(value, &name),
                                    _ => Tracked::Unknown,
                                },
                                _ => Tracked::Unknown,
                            };
                            self.bind(&pair.value, &part);
                        }
                        ast::ObjectPatProp::Assign(shorthand) => {
                            if let Some(default) = &shorthand.value {
                                self.value(default);
                            }
                            self.looked_at(value, &shorthand.key.sym, shorthand.key.span);
                            let part = step(value, &shorthand.key.sym);
                            self.scope.push((shorthand.key.sym.clone(), Bound::Value(part)));
                        }
                        // What is left holds the same handles under the same names.
                        ast::ObjectPatProp::Rest(rest) => self.bind(&rest.arg, value),
                    }
                }
            }
            ast::Pat::Array(array) => {
                let element = step(value, &element_step());
                for pattern in array.elems.iter().flatten() {
                    self.bind(pattern, &element);
                }
            }
            ast::Pat::Rest(rest) => {
                self.escape_at(value.clone(), self.positions.span(rest.span));
                self.bind(&rest.arg, &Tracked::Unknown);
            }
            ast::Pat::Assign(assign) => {
                self.value(&assign.right);
                self.bind(&assign.left, value);
            }
            ast::Pat::Invalid(_) | ast::Pat::Expr(_) => {}
        }
    }

    /// Binds the names that an assignment to a pattern changes.
    fn assign_pattern(&mut self, pattern: &'ast ast::Pat, value: &Tracked) {
        match pattern {
            ast::Pat::Ident(identifier) => self.assign_name(&identifier.sym, value.clone()),
            ast::Pat::Expr(expr) => match strip_types(expr) {
                ast::Expr::Ident(identifier) => self.assign_name(&identifier.sym, value.clone()),
                ast::Expr::Member(member) => self.assign_member(member, value.clone(), expr),
                _ => self.escape(value.clone(), expr),
            },
            other => self.bind(other, value),
        }
    }

    /// `name = value`: the name may hold either from now on.
    fn assign_name(&mut self, name: &Name, value: Tracked) {
        if let Some((_, bound)) = self.scope.iter_mut().rev().find(|(bound, _)| bound == name) {
            *bound = match std::mem::replace(bound, Bound::Value(Tracked::Unknown)) {
                Bound::Unset => Bound::Value(value),
                Bound::Value(before) => Bound::Value(either(before, value)),
                function @ Bound::Function(_) => function,
            };
        }
    }

    /// An initialiser of a class.
    pub(super) fn field(&mut self, name: Name, value: &'ast ast::Expr) {
        let value = self.value(value);
        self.fields.get_or_insert_default().push((name, value));
    }

    pub(super) fn bind_name(&mut self, name: &Name, value: Tracked) {
        self.scope.push((name.clone(), Bound::Value(value)));
    }

    /// `object.name = value`
    fn assign_member(&mut self, member: &'ast ast::MemberExpr, value: Tracked, expr: &ast::Expr) {
        let object = self.value(&member.obj);
        let name = match &member.prop {
            ast::MemberProp::Ident(name) => Some(name.sym.clone()),
            ast::MemberProp::PrivateName(name) => Some(private(&name.name)),
            ast::MemberProp::Computed(computed) => match self.value(&computed.expr) {
                Tracked::String(name) => Some(name),
                _ => None,
            },
        };
        if let (Some(fields), Some(name)) = (&mut self.fields, &name)
            && object == root(Root::This)
        {
            fields.push((name.clone(), value));
            return;
        }
        let span = self.positions.span(member.span);
        self.assigned(&object, name.as_ref(), span);
        self.escape(value, expr);
    }

    fn assigned(&mut self, object: &Tracked, name: Option<&Name>, span: lunora_diagnostics::Span) {
        match object {
            Tracked::Path(path) if !matches!(path.root, Root::Module(_)) && !is_argument_path(path) => {
                self.events.push(Event::Assign {
                    object: (**path).clone(),
                    name: name.cloned(),
                    span,
                });
            }
            Tracked::Either(choices) => {
                for choice in choices {
                    self.assigned(choice, name, span);
                }
            }
            _ => {}
        }
    }

    fn lookup(&self, name: &Name) -> Option<&Bound> {
        self.scope
            .iter()
            .rev()
            .find(|(bound, _)| bound == name)
            .map(|(_, bound)| bound)
    }

    /// Walks an expression and says what it is.
    fn value(&mut self, expr: &'ast ast::Expr) -> Tracked {
        match strip_types(expr) {
            ast::Expr::Ident(identifier) => match self.lookup(&identifier.sym) {
                Some(Bound::Value(value)) => value.clone(),
                Some(Bound::Function(_) | Bound::Unset) => Tracked::Unknown,
                None if &*identifier.sym == "arguments" => {
                    self.all_arguments_escape(self.positions.span(identifier.span));
                    Tracked::Unknown
                }
                None => root(Root::Module(identifier.sym.clone())),
            },
            ast::Expr::This(_) => self.this.clone().unwrap_or(Tracked::Unknown),
            ast::Expr::Lit(ast::Lit::Str(string)) => Tracked::String(text(&string.value)),
            ast::Expr::Lit(_) => Tracked::Unknown,
            ast::Expr::Tpl(template) => {
                for expr in &template.exprs {
                    self.value(expr);
                }
                match (&template.quasis[..], template.exprs.is_empty()) {
                    ([only], true) => Tracked::String(template_text(only)),
                    _ => Tracked::Unknown,
                }
            }
            ast::Expr::Member(member) => self.member(member),
            ast::Expr::OptChain(chain) => match &*chain.base {
                ast::OptChainBase::Member(member) => self.member(member),
                ast::OptChainBase::Call(call) => {
                    self.call(&call.callee, &call.args, call.span);
                    Tracked::Unknown
                }
            },
            ast::Expr::Call(call) => match &call.callee {
                ast::Callee::Expr(callee) => {
                    self.call(callee, &call.args, call.span);
                    Tracked::Unknown
                }
                ast::Callee::Super(_) | ast::Callee::Import(_) => {
                    self.escape_arguments(&call.args);
                    Tracked::Unknown
                }
            },
            ast::Expr::New(new) => {
                let callee = self.value(&new.callee);
                let arguments = new.args.as_deref().unwrap_or(&[]);
                if arguments.is_empty() {
                    self.made_of_nothing(&callee, new.span);
                }
                let events = self.events.len();
                self.tracked_call(&callee, &new.callee, arguments, new.span, true);
                self.constructed(events)
            }
            ast::Expr::Await(expr) => self.value(&expr.arg),
            ast::Expr::Cond(conditional) => {
                self.value(&conditional.test);
                let consequent = self.value(&conditional.cons);
                let alternative = self.value(&conditional.alt);
                either(consequent, alternative)
            }
            ast::Expr::Bin(binary) => {
                let left = self.value(&binary.left);
                let right = self.value(&binary.right);
                match binary.op {
                    ast::BinaryOp::LogicalAnd => right,
                    ast::BinaryOp::LogicalOr | ast::BinaryOp::NullishCoalescing => either(left, right),
                    _ => Tracked::Unknown,
                }
            }
            ast::Expr::Assign(assign) => {
                let value = self.value(&assign.right);
                let value = match assign.op {
                    ast::AssignOp::Assign
                    | ast::AssignOp::AndAssign
                    | ast::AssignOp::OrAssign
                    | ast::AssignOp::NullishAssign => value,
                    // `+=` and the like make something else of it.
                    _ => Tracked::Unknown,
                };
                match &assign.left {
                    ast::AssignTarget::Simple(ast::SimpleAssignTarget::Ident(identifier)) => {
                        self.assign_name(&identifier.sym, value.clone());
                    }
                    ast::AssignTarget::Simple(target) => {
                        match target {
                            ast::SimpleAssignTarget::Member(member) => {
                                self.assign_member(member, value, &assign.right);
                            }
                            _ => self.escape(value, &assign.right),
                        }
                        // It has left sight; what the assignment evaluates to adds nothing.
                        return Tracked::Unknown;
                    }
                    ast::AssignTarget::Pat(ast::AssignTargetPat::Object(object)) => {
                        for property in &object.props {
                            match property {
                                ast::ObjectPatProp::KeyValue(pair) => {
                                    let part = match &pair.key {
                                        ast::PropName::Ident(name) => step(&value, &name.sym),
                                        _ => Tracked::Unknown,
                                    };
                                    self.assign_pattern(&pair.value, &part);
                                }
                                ast::ObjectPatProp::Assign(shorthand) => {
                                    let part = step(&value, &shorthand.key.sym);
                                    self.assign_name(&shorthand.key.sym, part);
                                }
                                ast::ObjectPatProp::Rest(rest) => self.assign_pattern(&rest.arg, &value),
                            }
                        }
                    }
                    ast::AssignTarget::Pat(ast::AssignTargetPat::Array(array)) => {
                        for pattern in array.elems.iter().flatten() {
                            self.assign_pattern(pattern, &Tracked::Unknown);
                        }
                        self.escape(value.clone(), &assign.right);
                    }
                    ast::AssignTarget::Pat(_) => self.escape(value.clone(), &assign.right),
                }
                value
            }
            ast::Expr::Seq(sequence) => {
                let mut last = Tracked::Unknown;
                for expr in &sequence.exprs {
                    last = self.value(expr);
                }
                last
            }
            ast::Expr::Object(object) => self.object(object),
            ast::Expr::Array(array) => {
                for element in array.elems.iter().flatten() {
                    let value = self.value(&element.expr);
                    self.escape(value, &element.expr);
                }
                Tracked::Unknown
            }
            ast::Expr::Arrow(arrow) => {
                self.inline(Inline::Arrow(arrow), &[]);
                Tracked::Unknown
            }
            ast::Expr::Fn(function) => {
                self.inline(Inline::Function(&function.function), &[]);
                Tracked::Unknown
            }
            ast::Expr::Class(class) => {
                self.class(&class.class);
                Tracked::Unknown
            }
            ast::Expr::Unary(unary) => {
                self.value(&unary.arg);
                Tracked::Unknown
            }
            ast::Expr::Yield(expr) => {
                if let Some(expr) = &expr.arg {
                    let value = self.value(expr);
                    self.escape(value, expr);
                }
                Tracked::Unknown
            }
            ast::Expr::TaggedTpl(tagged) => {
                self.value(&tagged.tag);
                for expr in &tagged.tpl.exprs {
                    let value = self.value(expr);
                    self.escape(value, expr);
                }
                Tracked::Unknown
            }
            ast::Expr::JSXElement(element) => {
                self.jsx_element(element);
                Tracked::Unknown
            }
            ast::Expr::JSXFragment(fragment) => {
                self.jsx_children(&fragment.children);
                Tracked::Unknown
            }
            _ => Tracked::Unknown,
        }
    }

    fn jsx_element(&mut self, element: &'ast ast::JSXElement) {
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

    fn jsx_children(&mut self, children: &'ast [ast::JSXElementChild]) {
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

    /// What `new` gives: a thing to follow when it was given one.
    fn constructed(&mut self, events_before: usize) -> Tracked {
        let Some(Event::Call {
            callee,
            arguments,
            constructs: true,
            ..
        }) = self.events.get(events_before..).and_then(<[Event]>::last)
        else {
            return Tracked::Unknown;
        };
        let Ok(index) = u16::try_from(self.constructions.len()) else {
            return Tracked::Unknown;
        };
        if !matches!(callee.root, Root::Module(_)) {
            return Tracked::Unknown;
        }
        self.constructions.push(Construction {
            class: callee.clone(),
            arguments: arguments.iter().map(|argument| argument.value.clone()).collect(),
        });
        root(Root::Construction(index))
    }

    /// A class inside a function: its methods count as called, its `this` is not followed.
    fn class(&mut self, class: &'ast ast::Class) {
        let this = self.this.take();
        self.class_members(class);
        self.this = this;
    }

    fn class_members(&mut self, class: &'ast ast::Class) {
        for member in &class.body {
            match member {
                ast::ClassMember::Method(method) => {
                    self.inline(Inline::Function(&method.function), &[]);
                }
                ast::ClassMember::PrivateMethod(method) => {
                    self.inline(Inline::Function(&method.function), &[]);
                }
                ast::ClassMember::Constructor(constructor) => {
                    if let Some(body) = &constructor.body {
                        self.statements(&body.stmts);
                    }
                }
                ast::ClassMember::ClassProp(property) => {
                    if let Some(value) = &property.value {
                        let tracked = self.value(value);
                        self.escape(tracked, value);
                    }
                }
                ast::ClassMember::PrivateProp(property) => {
                    if let Some(value) = &property.value {
                        let tracked = self.value(value);
                        self.escape(tracked, value);
                    }
                }
                ast::ClassMember::StaticBlock(block) => self.statements(&block.body.stmts),
                _ => {}
            }
        }
    }

    fn member(&mut self, member: &'ast ast::MemberExpr) -> Tracked {
        let object = self.value(&member.obj);
        match &member.prop {
            ast::MemberProp::Ident(name) => {
                self.looked_at(&object, &name.sym, name.span);
                into_step(object, &name.sym)
            }
            ast::MemberProp::Computed(computed) => match self.value(&computed.expr) {
                Tracked::String(name) => into_step(object, &name),
                Tracked::Unknown if is_number(&computed.expr) => into_step(object, &element_step()),
                // `db[name]`: which table is not visible.
                _ => into_step(object, &hidden_step()),
            },
            ast::MemberProp::PrivateName(name) => into_step(object, &private(&name.name)),
        }
    }

    fn object(&mut self, object: &'ast ast::ObjectLit) -> Tracked {
        let mut shape = ObjectShape::default();
        for property in &object.props {
            match property {
                ast::PropOrSpread::Spread(spread) => {
                    let value = self.value(&spread.expr);
                    if value != Tracked::Unknown {
                        shape.spreads.push(value);
                    }
                }
                ast::PropOrSpread::Prop(property) => match &**property {
                    ast::Prop::Shorthand(identifier) => {
                        let value = match self.lookup(&identifier.sym) {
                            Some(Bound::Value(value)) => value.clone(),
                            Some(Bound::Function(_) | Bound::Unset) => Tracked::Unknown,
                            None => root(Root::Module(identifier.sym.clone())),
                        };
                        shape.properties.push((identifier.sym.clone(), value));
                    }
                    ast::Prop::KeyValue(pair) => {
                        let value = self.value(&pair.value);
                        match &pair.key {
                            ast::PropName::Ident(name) => shape.properties.push((name.sym.clone(), value)),
                            ast::PropName::Str(string) => {
                                shape.properties.push((text(&string.value), value));
                            }
                            ast::PropName::Computed(computed) => {
                                self.value(&computed.expr);
                                shape.properties.push(("?".into(), value));
                            }
                            _ => {}
                        }
                    }
                    ast::Prop::Method(method) => self.inline(Inline::Function(&method.function), &[]),
                    ast::Prop::Getter(getter) => {
                        if let Some(body) = &getter.function.body {
                            self.statements_with_other_this(&body.stmts);
                        }
                    }
                    ast::Prop::Setter(setter) => {
                        if let Some(body) = &setter.function.body {
                            self.statements_with_other_this(&body.stmts);
                        }
                    }
                    ast::Prop::Assign(assign) => {
                        self.value(&assign.value);
                    }
                },
            }
        }
        if shape.properties.iter().all(|(_, value)| *value == Tracked::Unknown) && shape.spreads.is_empty() {
            return Tracked::Unknown;
        }
        Tracked::Object(Box::new(shape))
    }

    fn call(
        &mut self,
        callee_expr: &'ast ast::Expr,
        arguments: &'ast [ast::ExprOrSpread],
        span: swc_core::common::Span,
    ) {
        let callee_expr = strip_types(callee_expr);
        match callee_expr {
            ast::Expr::Ident(identifier) => {
                if let Some(Bound::Function(index)) = self.lookup(&identifier.sym) {
                    let index = *index;
                    let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                    if !self.enter(index, &values) {
                        for (value, argument) in values.into_iter().zip(arguments) {
                            self.escape(value, &argument.expr);
                        }
                    }
                    return;
                }
            }
            // `(async () => { … })()`
            ast::Expr::Arrow(arrow) => {
                let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                self.inline(Inline::Arrow(arrow), &values);
                return;
            }
            ast::Expr::Fn(function) => {
                let values: Vec<Tracked> = arguments.iter().map(|argument| self.argument(argument, None)).collect();
                self.inline(Inline::Function(&function.function), &values);
                return;
            }
            _ => {}
        }
        let callee = self.value(callee_expr);
        self.tracked_call(&callee, callee_expr, arguments, span, false);
    }

    fn tracked_call(
        &mut self,
        callee: &Tracked,
        callee_expr: &'ast ast::Expr,
        arguments: &'ast [ast::ExprOrSpread],
        span: swc_core::common::Span,
        constructs: bool,
    ) {
        // `args.ids.map((id) => …)`: the callback sees the elements.
        let element = match callee {
            Tracked::Path(path) => path.steps.split_last().and_then(|(method, receiver)| {
                ELEMENT_CALLBACKS.contains(&&**method).then(|| {
                    let receiver = Path {
                        root: path.root.clone(),
                        steps: receiver.to_vec(),
                    };
                    into_step(Tracked::Path(Box::new(receiver)), &element_step())
                })
            }),
            _ => None,
        };
        let values: Vec<TrackedArgument> = arguments
            .iter()
            .map(|argument| TrackedArgument {
                value: self.argument(argument, element.as_ref()),
                span: self.positions.span(argument.expr.span()),
            })
            .collect();
        // A function that is handed over counts as called.
        for argument in &values {
            if let Tracked::Path(path) = &argument.value
                && matches!(path.root, Root::Module(_))
            {
                let callee = (**path).clone();
                self.moments.push(Moment::Call { callee });
            }
        }
        match callee {
            Tracked::Path(path) => {
                if matches!(path.root, Root::Module(_)) && !constructs {
                    self.called(path, span);
                }
                let matters = match path.root {
                    // Of what is an instance, `find` and `map` are methods like others.
                    Root::Parameter(_) | Root::This | Root::Construction(_) => !is_argument_path(path),
                    // What a function of the module does without being given anything of ours
                    // cannot reach the database.
                    Root::Module(_) => values.iter().any(|argument| may_hold_handle(&argument.value)),
                };
                if matters {
                    let with = arguments.first().and_then(|argument| self.with_shape(&argument.expr));
                    self.events.push(Event::Call {
                        callee: (**path).clone(),
                        span: self.positions.span(span),
                        callee_span: self.positions.span(callee_expr.span()),
                        arguments: values,
                        with,
                        constructs,
                    });
                }
            }
            Tracked::Either(choices) => {
                for (index, choice) in choices.iter().enumerate() {
                    if let Tracked::Path(path) = choice {
                        let arguments = values
                            .iter()
                            .map(|argument| TrackedArgument {
                                value: argument.value.clone(),
                                span: argument.span,
                            })
                            .collect();
                        self.events.push(Event::Call {
                            callee: (**path).clone(),
                            span: self.positions.span(span),
                            callee_span: self.positions.span(callee_expr.span()),
                            arguments,
                            with: None,
                            constructs,
                        });
                    } else if index == 0 {
                        for (argument, expr) in values.iter().zip(arguments) {
                            self.escape(argument.value.clone(), &expr.expr);
                        }
                    }
                }
            }
            _ => {
                for (argument, expr) in values.into_iter().zip(arguments) {
                    self.escape(argument.value, &expr.expr);
                }
            }
        }
    }

    /// `value.now`
    fn looked_at(&mut self, value: &Tracked, name: &Name, span: swc_core::common::Span) {
        if &**name == "now"
            && let Tracked::Path(path) = value
            && !matches!(path.root, Root::Module(_))
        {
            let (value, span) = ((**path).clone(), self.positions.span(span));
            self.moments.push(Moment::Now { value, span });
        }
    }

    /// `new Date()`: of an argument it would be the same date every time.
    fn made_of_nothing(&mut self, callee: &Tracked, span: swc_core::common::Span) {
        if let Tracked::Path(path) = callee
            && path.steps.is_empty()
            && let Root::Module(name) = &path.root
            && &**name == "Date"
        {
            self.global_moment(name.clone(), "new Date()", span);
        }
    }

    /// A call of something of the module.
    fn called(&mut self, path: &Path, span: swc_core::common::Span) {
        let Root::Module(name) = &path.root else { return };
        let names: Vec<&str> = std::iter::once(&**name)
            .chain(path.steps.iter().map(|step| &**step))
            .collect();
        // `globalThis.Date` is `Date`.
        let names = names.strip_prefix(&["globalThis"]).unwrap_or(&names);
        let is_moment = |moment: &&(&str, &[&str], &str)| names.split_first() == Some((&moment.0, moment.1));
        match MOMENTS.iter().find(is_moment) {
            Some((_, _, written)) => self.global_moment(name.clone(), written, span),
            None => self.moments.push(Moment::Call { callee: path.clone() }),
        }
    }

    fn global_moment(&mut self, name: Name, written: &'static str, span: swc_core::common::Span) {
        let span = self.positions.span(span);
        self.moments.push(Moment::Global { name, written, span });
    }

    fn argument(&mut self, argument: &'ast ast::ExprOrSpread, element: Option<&Tracked>) -> Tracked {
        let elements = element.map(std::slice::from_ref).unwrap_or_default();
        match strip_types(&argument.expr) {
            ast::Expr::Arrow(arrow) => {
                self.inline(Inline::Arrow(arrow), elements);
                Tracked::Unknown
            }
            ast::Expr::Fn(function) => {
                self.inline(Inline::Function(&function.function), elements);
                Tracked::Unknown
            }
            ast::Expr::Ident(identifier) => {
                if let Some(Bound::Function(index)) = self.lookup(&identifier.sym) {
                    let index = *index;
                    self.enter(index, elements);
                    return Tracked::Unknown;
                }
                self.value(&argument.expr)
            }
            _ => self.value(&argument.expr),
        }
    }

    fn escape_arguments(&mut self, arguments: &'ast [ast::ExprOrSpread]) {
        for argument in arguments {
            let value = self.argument(argument, None);
            self.escape(value, &argument.expr);
        }
    }

    /// Records that a value goes where it is not followed.
    fn escape(&mut self, value: Tracked, expr: &ast::Expr) {
        let span = self.positions.span(expr.span());
        self.escape_at(value, span);
    }

    fn escape_at(&mut self, value: Tracked, span: lunora_diagnostics::Span) {
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

    /// `{ with: { author: true, replies: { with: { … } } } }`
    fn with_shape(&self, expr: &ast::Expr) -> Option<WithShape> {
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

enum Inline<'ast> {
    Arrow(&'ast ast::ArrowExpr),
    Function(&'ast ast::Function),
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

/// A private name, which no other name equals.
pub(super) fn private(name: &Name) -> Name {
    format!("#{name}").into()
}

fn is_number(expr: &ast::Expr) -> bool {
    matches!(strip_types(expr), ast::Expr::Lit(ast::Lit::Num(_)))
}

/// `args.x` of a handler: plain data, whatever happens to it.
fn is_argument_path(path: &Path) -> bool {
    matches!(path.root, Root::Parameter(_)) && path.steps.first().is_some_and(|step| &**step == "args")
}

fn may_hold_handle(value: &Tracked) -> bool {
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

fn either(left: Tracked, right: Tracked) -> Tracked {
    match (left, right) {
        (left, right) if left == right => left,
        (Tracked::Unknown, Tracked::Unknown) => Tracked::Unknown,
        (left, right) => Tracked::Either(vec![left, right]),
    }
}

/// A property of a tracked value.
fn step(value: &Tracked, name: &Name) -> Tracked {
    match value {
        Tracked::Object(shape) => {
            if let Some((_, value)) = shape.properties.iter().rev().find(|(key, _)| key == name) {
                return value.clone();
            }
            match &shape.spreads[..] {
                [] => Tracked::Unknown,
                [only] => step(only, name),
                several => Tracked::Either(several.iter().map(|value| step(value, name)).collect()),
            }
        }
        Tracked::Unknown | Tracked::String(_) => Tracked::Unknown,
        other => into_step(other.clone(), name),
    }
}

/// The same of a value that is not needed any more.
fn into_step(value: Tracked, name: &Name) -> Tracked {
    match value {
        Tracked::Path(mut path) if path.steps.len() < MAX_STEPS => {
            path.steps.push(name.clone());
            Tracked::Path(path)
        }
        Tracked::Path(_) | Tracked::Unknown | Tracked::String(_) => Tracked::Unknown,
        Tracked::Object(_) => step(&value, name),
        Tracked::Either(values) => Tracked::Either(values.into_iter().map(|value| into_step(value, name)).collect()),
    }
}
