//! From the syntax tree to our own small expressions.

use lunora_diagnostics::Span;
use swc_core::common::Spanned;
use swc_core::ecma::ast;
use swc_core::ecma::visit::{Visit, VisitWith};

use super::collect::Collector;
use super::{Call, Expression, ExpressionKind, Item, Name, Property, TypeText};

/// Types that every TypeScript program knows.
const BUILT_IN_TYPES: &[&str] = &[
    "Array",
    "ArrayBuffer",
    "Awaited",
    "BigInt",
    "Capitalize",
    "Date",
    "Exclude",
    "Extract",
    "Lowercase",
    "Map",
    "NonNullable",
    "Omit",
    "Partial",
    "Pick",
    "Promise",
    "Readonly",
    "ReadonlyArray",
    "ReadonlyMap",
    "ReadonlySet",
    "Record",
    "RegExp",
    "Required",
    "Set",
    "String",
    "Number",
    "Boolean",
    "Uint8Array",
    "Uncapitalize",
    "Uppercase",
    "URL",
];

impl Collector<'_> {
    pub(super) fn expression(&mut self, expr: &ast::Expr) -> Expression {
        let expr = strip_types(expr);
        let span = self.span(expr.span());
        let kind = self.expression_kind(expr, span);
        Expression { span, kind }
    }

    fn boxed(&mut self, expr: &ast::Expr) -> Box<Expression> {
        Box::new(self.expression(expr))
    }

    fn expression_kind(&mut self, expr: &ast::Expr, span: Span) -> ExpressionKind {
        use ExpressionKind as Kind;
        match expr {
            ast::Expr::Lit(literal) => match literal {
                ast::Lit::Str(string) => Kind::String(text(&string.value)),
                ast::Lit::Num(number) => Kind::Number(number.value),
                ast::Lit::BigInt(bigint) => Kind::Bigint(bigint.value.to_string().into()),
                ast::Lit::Bool(boolean) => Kind::Boolean(boolean.value),
                ast::Lit::Null(_) => Kind::Null,
                ast::Lit::Regex(_) => Kind::Opaque("a regular expression"),
                ast::Lit::JSXText(_) => Kind::Opaque("JSX"),
            },
            ast::Expr::Ident(identifier) => Kind::Name(identifier.sym.clone()),
            ast::Expr::Tpl(template) => {
                let texts = template.quasis.iter().map(template_text).collect();
                let expressions = template.exprs.iter().map(|expr| self.expression(expr)).collect();
                Kind::Template { texts, expressions }
            }
            ast::Expr::Array(array) => {
                let mut items = Vec::with_capacity(array.elems.len());
                for element in &array.elems {
                    match element {
                        Some(element) => items.push(self.item(element)),
                        None => return Kind::Opaque("an array with holes"),
                    }
                }
                Kind::Array(items)
            }
            ast::Expr::Object(object) => {
                Kind::Object(object.props.iter().map(|property| self.property(property)).collect())
            }
            ast::Expr::Member(member) => match &member.prop {
                ast::MemberProp::Ident(name) => Kind::Member {
                    object: self.boxed(&member.obj),
                    name: name.sym.clone(),
                    name_span: self.span(name.span),
                },
                ast::MemberProp::Computed(computed) => Kind::Index {
                    object: self.boxed(&member.obj),
                    index: self.boxed(&computed.expr),
                },
                ast::MemberProp::PrivateName(_) => Kind::Opaque("a private member"),
            },
            ast::Expr::Call(call) => match &call.callee {
                ast::Callee::Expr(callee) => {
                    let callee = self.expression(callee);
                    let declares = matches!(
                        &callee.kind,
                        Kind::Member { name, .. } if matches!(&**name, "relations" | "triggers")
                    );
                    let arguments = call
                        .args
                        .iter()
                        .map(|argument| {
                            if declares
                                && argument.spread.is_none()
                                && let Some(lambda) = self.lambda(&argument.expr)
                            {
                                return Item {
                                    spread: false,
                                    expression: lambda,
                                };
                            }
                            self.item(argument)
                        })
                        .collect();
                    let type_argument = call
                        .type_args
                        .as_ref()
                        .and_then(|arguments| arguments.params.first())
                        .map(|argument| self.type_text(argument));
                    Kind::Call(Box::new(Call {
                        callee,
                        arguments,
                        type_argument,
                    }))
                }
                ast::Callee::Import(_) => Kind::Opaque("a dynamic import"),
                ast::Callee::Super(_) => Kind::Opaque("a call of `super`"),
            },
            ast::Expr::Unary(unary) => match unary.op {
                ast::UnaryOp::Minus => Kind::Unary {
                    operator: "-",
                    operand: self.boxed(&unary.arg),
                },
                ast::UnaryOp::Plus => Kind::Unary {
                    operator: "+",
                    operand: self.boxed(&unary.arg),
                },
                ast::UnaryOp::Bang => Kind::Unary {
                    operator: "!",
                    operand: self.boxed(&unary.arg),
                },
                _ => Kind::Opaque("a unary expression"),
            },
            ast::Expr::Bin(binary) => {
                let operator = match binary.op {
                    ast::BinaryOp::Add => "+",
                    ast::BinaryOp::Sub => "-",
                    ast::BinaryOp::Mul => "*",
                    ast::BinaryOp::Div => "/",
                    ast::BinaryOp::Mod => "%",
                    ast::BinaryOp::Exp => "**",
                    _ => return Kind::Opaque("a comparison or logical expression"),
                };
                Kind::Binary {
                    operator,
                    left: self.boxed(&binary.left),
                    right: self.boxed(&binary.right),
                }
            }
            ast::Expr::Arrow(arrow) => Kind::Function(self.arrow(arrow)),
            ast::Expr::Fn(function) => Kind::Function(self.function(&function.function)),
            ast::Expr::Await(_) => Kind::Opaque("an awaited value"),
            ast::Expr::Cond(_) => Kind::Opaque("a conditional expression"),
            ast::Expr::New(_) => Kind::Opaque("a `new` expression"),
            ast::Expr::Class(_) => Kind::Opaque("a class"),
            ast::Expr::OptChain(_) => Kind::Opaque("an optional chain"),
            ast::Expr::TaggedTpl(_) => Kind::Opaque("a tagged template"),
            ast::Expr::Assign(_) | ast::Expr::Update(_) => Kind::Opaque("an assignment"),
            ast::Expr::Seq(_) => Kind::Opaque("a comma expression"),
            ast::Expr::JSXElement(_) | ast::Expr::JSXFragment(_) => Kind::Opaque("JSX"),
            _ => {
                debug_assert!(span.start <= span.end);
                Kind::Opaque("an expression of this form")
            }
        }
    }

    fn item(&mut self, item: &ast::ExprOrSpread) -> Item {
        Item {
            spread: item.spread.is_some(),
            expression: self.expression(&item.expr),
        }
    }

    fn property(&mut self, property: &ast::PropOrSpread) -> Property {
        let property = match property {
            ast::PropOrSpread::Spread(spread) => return Property::Spread(self.expression(&spread.expr)),
            ast::PropOrSpread::Prop(property) => &**property,
        };
        match property {
            ast::Prop::Shorthand(identifier) => {
                let span = self.span(identifier.span);
                Property::Named {
                    name: identifier.sym.clone(),
                    span,
                    value: Expression {
                        span,
                        kind: ExpressionKind::Name(identifier.sym.clone()),
                    },
                }
            }
            ast::Prop::KeyValue(pair) => {
                let value = self.expression(&pair.value);
                self.keyed(&pair.key, value)
            }
            ast::Prop::Method(method) => {
                let span = self.span(method.span());
                let function = self.function(&method.function);
                let value = Expression {
                    span,
                    kind: ExpressionKind::Function(function),
                };
                self.keyed(&method.key, value)
            }
            other => Property::Accessor(self.span(other.span())),
        }
    }

    fn keyed(&mut self, key: &ast::PropName, value: Expression) -> Property {
        let span = self.span(key.span());
        match key {
            ast::PropName::Ident(name) => Property::Named {
                name: name.sym.clone(),
                span,
                value,
            },
            ast::PropName::Str(string) => Property::Named {
                name: text(&string.value),
                span,
                value,
            },
            ast::PropName::Num(number) => Property::Named {
                name: number_text(number.value).into(),
                span,
                value,
            },
            ast::PropName::BigInt(bigint) => Property::Named {
                name: bigint.value.to_string().into(),
                span,
                value,
            },
            ast::PropName::Computed(computed) => Property::Computed {
                key: self.expression(&computed.expr),
                value,
            },
        }
    }

    /// `(x) => expression`, `(x) => { return expression; }` or the same as a `function`.
    fn lambda(&mut self, expr: &ast::Expr) -> Option<Expression> {
        let expr = strip_types(expr);
        let (parameter, body) = match expr {
            ast::Expr::Arrow(arrow) if arrow.params.len() <= 1 => {
                let body = match &*arrow.body {
                    ast::ArrowFunctionBody::Expr(body) => body,
                    ast::ArrowFunctionBody::FunctionBody(body) => only_return(&body.stmts)?,
                };
                (arrow.params.first(), body)
            }
            ast::Expr::Fn(function) if function.function.params.len() <= 1 => (
                function.function.params.first().map(|parameter| &parameter.pat),
                only_return(&function.function.body.as_ref()?.stmts)?,
            ),
            _ => return None,
        };
        let parameter = match parameter {
            None => None,
            Some(ast::Pat::Ident(identifier)) => Some(identifier.sym.clone()),
            Some(_) => return None,
        };
        let span = self.span(expr.span());
        let body = self.boxed(body);
        Some(Expression {
            span,
            kind: ExpressionKind::Lambda { parameter, body },
        })
    }

    fn type_text(&mut self, argument: &ast::TsType) -> TypeText {
        let span = self.span(argument.span());
        let mut names = TypeNames {
            foreign: Vec::new(),
            bound: Vec::new(),
        };
        argument.visit_with(&mut names);
        TypeText {
            text: self.source_text(span).to_owned(),
            span,
            foreign: names.foreign,
        }
    }
}

fn only_return(statements: &[ast::Stmt]) -> Option<&ast::Expr> {
    match statements {
        [ast::Stmt::Return(statement)] => statement.arg.as_deref(),
        _ => None,
    }
}

/// Names in a type that mean nothing outside its file.
struct TypeNames {
    foreign: Vec<Name>,
    bound: Vec<Name>,
}

impl TypeNames {
    fn name(&mut self, name: &Name) {
        if !BUILT_IN_TYPES.contains(&&**name) && !self.bound.contains(name) && !self.foreign.contains(name) {
            self.foreign.push(name.clone());
        }
    }
}

impl Visit for TypeNames {
    fn visit_ts_type_param(&mut self, parameter: &ast::TsTypeParam) {
        self.bound.push(parameter.name.sym.clone());
        parameter.visit_children_with(self);
    }

    fn visit_ts_entity_name(&mut self, name: &ast::TsEntityName) {
        match name {
            ast::TsEntityName::Ident(identifier) => self.name(&identifier.sym),
            ast::TsEntityName::TsQualifiedName(qualified) => self.visit_ts_entity_name(&qualified.left),
        }
    }

    fn visit_ts_import_type(&mut self, _: &ast::TsImportType) {
        self.name(&"import".into());
    }
}

/// The expression inside parentheses and type-only wrappers.
pub(crate) fn strip_types(mut expr: &ast::Expr) -> &ast::Expr {
    loop {
        expr = match expr {
            ast::Expr::Paren(inner) => &inner.expr,
            ast::Expr::TsAs(inner) => &inner.expr,
            ast::Expr::TsConstAssertion(inner) => &inner.expr,
            ast::Expr::TsSatisfies(inner) => &inner.expr,
            ast::Expr::TsNonNull(inner) => &inner.expr,
            ast::Expr::TsTypeAssertion(inner) => &inner.expr,
            ast::Expr::TsInstantiation(inner) => &inner.expr,
            other => return other,
        };
    }
}

pub(super) fn text(value: &swc_core::atoms::Wtf8Atom) -> Name {
    value.to_atom_lossy().into_owned()
}

pub(super) fn template_text(element: &ast::TplElement) -> Name {
    element.cooked.as_ref().map_or_else(|| element.raw.clone(), text)
}

/// A number the way JavaScript writes it as a property name.
pub(crate) fn number_text(value: f64) -> String {
    lunora_ir::shard_number_text(value).unwrap_or_else(|| value.to_string())
}
