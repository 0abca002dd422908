//! What one file says, as plain data: no syntax tree survives its analysis.
//!
//! Facts are made from one file alone. What a name imported from elsewhere means is decided when the
//! files are linked, so that facts can be cached by the hash of the file's text.

mod body;
mod class;
mod collect;
mod environment;
mod expression;
mod mail;

use lunora_diagnostics::Span;
use rustc_hash::FxHashMap;
use serde::Serialize;
use swc_core::atoms::Atom;

pub(crate) use collect::collect;
use environment::EnvironmentRead;
pub(crate) use expression::{number_text, strip_types};
use mail::MailCall;

/// An interned name: cheap to clone, made by the parser.
pub(crate) type Name = Atom;

/// The binding that `export default …` makes.
pub(crate) const DEFAULT_BINDING: &str = "*default*";

/// The facts of one file.
#[derive(Debug, Default, Serialize)]
pub struct FileFacts {
    /// Names bound by imports, type-only ones left out.
    pub(crate) imports: FxHashMap<Name, Import>,
    /// `export …`, type-only ones left out, in source order.
    pub(crate) exports: Vec<Export>,
    /// `export * from "…"`
    pub(crate) export_all: Vec<ExportAll>,
    /// Names bound at the top level.
    pub(crate) bindings: FxHashMap<Name, Binding>,
    /// Functions reachable from the bindings, by index.
    pub(crate) functions: Vec<FunctionFacts>,
    /// Classes of the top level, by index.
    pub(crate) classes: Vec<ClassFacts>,
    /// Calls of methods at the top level, whose results nobody takes: `crons.daily(…);`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) statements: Vec<Expression>,
    /// What is read from an environment, anywhere in the file.
    pub(crate) environment: Vec<EnvironmentRead>,
    /// Calls of the entry points of the mail package, anywhere in the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mail: Vec<MailCall>,
}

/// What an import binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Imported {
    /// `import { name }` (`default` for a default import).
    Named(Name),
    /// `import * as …`
    Namespace,
}

#[derive(Debug, Serialize)]
pub(crate) struct Import {
    pub(crate) specifier: Name,
    pub(crate) imported: Imported,
    pub(crate) span: Span,
    /// The string after `from`.
    pub(crate) specifier_span: Span,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) enum ExportTarget {
    /// A name bound in this file, by an import or by a declaration.
    Local(Name),
    /// `export { name } from "…"`
    From { specifier: Name, name: Imported },
}

#[derive(Debug, Serialize)]
pub(crate) struct Export {
    pub(crate) name: Name,
    pub(crate) span: Span,
    pub(crate) target: ExportTarget,
}

#[derive(Debug, Serialize)]
pub(crate) struct ExportAll {
    pub(crate) specifier: Name,
}

#[derive(Debug, Serialize)]
pub(crate) struct Binding {
    pub(crate) span: Span,
    pub(crate) kind: BindingKind,
}

#[derive(Debug, Serialize)]
pub(crate) enum BindingKind {
    /// `const name = expression`
    Constant(Expression),
    /// `function name() {}`
    Function(u32),
    /// `class Name {}`
    Class(u32),
    /// Something whose value static reading does not follow; the text completes
    /// "`name` is …".
    Other(&'static str),
}

/// An expression, as far as static reading can use it. Parentheses and type-only wrappers
/// (`as`, `satisfies`, `!`) are gone.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Expression {
    pub(crate) span: Span,
    pub(crate) kind: ExpressionKind,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) enum ExpressionKind {
    String(Name),
    Number(f64),
    Bigint(Name),
    Boolean(bool),
    Null,
    Name(Name),
    Template {
        texts: Vec<Name>,
        expressions: Vec<Expression>,
    },
    Array(Vec<Item>),
    Object(Vec<Property>),
    Member {
        object: Box<Expression>,
        name: Name,
        name_span: Span,
    },
    Index {
        object: Box<Expression>,
        index: Box<Expression>,
    },
    Call(Box<Call>),
    Unary {
        operator: &'static str,
        operand: Box<Expression>,
    },
    Binary {
        operator: &'static str,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    /// A function whose body only returns an expression, where that expression is part of a
    /// declaration: the argument of `.relations` and `.triggers`.
    Lambda {
        parameter: Option<Name>,
        body: Box<Expression>,
    },
    /// A function, by its index in the file.
    Function(u32),
    /// Anything else; the text names it: "a conditional expression".
    Opaque(&'static str),
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    pub(crate) callee: Expression,
    pub(crate) arguments: Vec<Item>,
    pub(crate) type_argument: Option<TypeText>,
}

/// A type argument as written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TypeText {
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Names in it that are not built into TypeScript.
    pub(crate) foreign: Vec<Name>,
}

/// An element of an array or an argument.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Item {
    pub(crate) spread: bool,
    pub(crate) expression: Expression,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) enum Property {
    Named {
        name: Name,
        span: Span,
        value: Expression,
    },
    Computed {
        key: Expression,
        value: Expression,
    },
    Spread(Expression),
    /// A getter or a setter.
    Accessor(Span),
}

/// What a function does with what it is given.
#[derive(Debug, Default, Serialize)]
pub(crate) struct FunctionFacts {
    pub(crate) span: Span,
    /// In source order.
    pub(crate) events: Vec<Event>,
    /// The function that it returns, when it returns one written in place.
    pub(crate) returns_function: Option<u32>,
    /// `new Name(…)` of something that is given a tracked value, by index.
    pub(crate) constructions: Vec<Construction>,
    /// Where it may look at a clock or at chance, in source order.
    pub(crate) moments: Vec<Moment>,
}

/// Something that matters only where a function must answer the same whenever it is asked.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Moment {
    /// A call of a clock or of chance by the global `name`; the text is how it is written.
    Global {
        name: Name,
        written: &'static str,
        span: Span,
    },
    /// `value.now`: a clock when the value is a `ctx`.
    Now { value: Path, span: Span },
    /// A call of something of the module that is given nothing of ours, so that it is no [`Event`].
    Call { callee: Path },
}

/// `new Name(…)`
#[derive(Debug, Serialize)]
pub(crate) struct Construction {
    pub(crate) class: Path,
    pub(crate) arguments: Vec<Tracked>,
}

/// A class whose instances may hold what they are given.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ClassFacts {
    /// It inherits, is decorated or has members whose names are not visible: what its instances do is not.
    pub(crate) is_hidden: bool,
    /// The function that runs for `new`: initialisers and constructor.
    pub(crate) constructor: u32,
    /// What that function assigns to `this`, in order, in its own terms.
    pub(crate) fields: Vec<(Name, Tracked)>,
    /// Methods of instances; private ones with `#`.
    pub(crate) methods: Vec<(Name, u32)>,
    /// Names that run something when they are read or written.
    pub(crate) accessors: Vec<Name>,
}

/// Where a tracked value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Root {
    /// A parameter of the function.
    Parameter(u16),
    /// `this` of a method or a constructor.
    This,
    /// One of [`FunctionFacts::constructions`].
    Construction(u16),
    /// A name bound at the top level of the file (or a global).
    Module(Name),
}

/// A value reached by property accesses from a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Path {
    pub(crate) root: Root,
    /// Property names; `[]` is an element of an array.
    pub(crate) steps: Vec<Name>,
}

/// A value as far as it is tracked inside a function.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) enum Tracked {
    Unknown,
    String(Name),
    Path(Box<Path>),
    /// An object literal.
    Object(Box<ObjectShape>),
    /// One of several.
    Either(Vec<Tracked>),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ObjectShape {
    pub(crate) properties: Vec<(Name, Tracked)>,
    /// `...value`
    pub(crate) spreads: Vec<Tracked>,
}

/// Names nested in an options object: the keys of `with` and their own `with`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct WithShape {
    pub(crate) relations: Vec<(Name, Span, WithShape)>,
}

#[derive(Debug, Serialize)]
pub(crate) struct TrackedArgument {
    pub(crate) value: Tracked,
    pub(crate) span: Span,
}

#[derive(Debug, Serialize)]
pub(crate) enum Event {
    /// A call of a tracked value, or a call that is given one.
    Call {
        callee: Path,
        span: Span,
        /// The callee alone.
        callee_span: Span,
        arguments: Vec<TrackedArgument>,
        with: Option<WithShape>,
        constructs: bool,
    },
    /// A tracked value goes where it is not followed.
    Escape { value: Path, span: Span },
    /// `object.name = …`; without a name when it is not visible.
    Assign {
        object: Path,
        name: Option<Name>,
        span: Span,
    },
}
