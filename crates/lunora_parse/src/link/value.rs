//! What an expression of a schema or of a builder chain means.

use std::rc::Rc;

use indexmap::IndexMap;
use lunora_diagnostics::Span;
use lunora_ir::{
    FanOutMerge, FunctionKind, OnDelete, RelationKind, ShardMode, TriggerEvent, TriggerTiming, Validator, Visibility,
};
use rustc_hash::FxBuildHasher;

use super::modules::FileIndex;
use crate::facts::Name;

/// A map in source order, with a hash that is quick for names.
pub(super) type Map<Key, Value> = IndexMap<Key, Value, FxBuildHasher>;

/// Tables by name, with the place of the name.
pub(super) type TableMap = Map<Name, (Place, Rc<TableValue>)>;

/// A place in a file of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: FileIndex,
    pub(super) span: Span,
}

/// A function of the app by file and index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FunctionRef {
    pub(super) file: FileIndex,
    pub(super) index: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    String(Name),
    Number(f64),
    Bigint(Name),
    Boolean(bool),
    Null,
    Array(Rc<Vec<Placed>>),
    Object(Rc<Map<Name, Entry>>),
    Column(Rc<ColumnValue>),
    Table(Rc<TableValue>),
    Schema(Rc<SchemaValue>),
    Extension(Rc<ExtensionValue>),
    Builder(Rc<BuilderValue>),
    Registered(Rc<RegisteredValue>),
    Shape(Rc<ShapeValue>),
    Migration(Rc<MigrationValue>),
    /// `definePresence({ … })`
    Presence,
    /// A function, which is not run.
    Function,
    /// `import * as` of a file.
    Module(FileIndex),
    /// `api.…` or `internal.…`
    Reference(Rc<Vec<Name>>),
    /// An export of a package of ours.
    Framework(Name),
    /// `import * as` of a package of ours, or of `_generated/server`.
    FrameworkModule,
    /// `v`
    Validators,
    /// `initLunora`, `initLunora.dataModel<…>()`
    Init,
    /// What `.create()` makes.
    Builders,
    /// The parameter of `.relations`.
    RelationHelper,
    /// The parameter of `.triggers`.
    TriggerHelper,
    Relation(Rc<RelationValue>),
    Trigger(TriggerValue),
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// A property of an object.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name.
    pub(super) key: Place,
    /// `None`: the value could not be read, which has been reported.
    pub(super) value: Option<Placed>,
}

#[derive(Debug, Clone)]
pub(super) struct ColumnValue {
    pub(super) validator: Validator,
    pub(super) has_default: bool,
    pub(super) unique: bool,
    /// Each `v.id(table)` inside, to be checked once the tables are known.
    pub(super) references: Vec<(Name, Place)>,
}

#[derive(Debug, Clone)]
pub(super) struct IndexValue {
    pub(super) name: Name,
    pub(super) fields: Vec<(Name, Place)>,
    pub(super) unique: bool,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
pub(super) struct RelationValue {
    pub(super) kind: RelationKind,
    pub(super) table: (Name, Place),
    pub(super) field: (Name, Place),
    pub(super) references: Option<(Name, Place)>,
    pub(super) on_delete: Option<OnDelete>,
}

#[derive(Debug, Clone)]
pub(super) struct TriggerValue {
    pub(super) timing: TriggerTiming,
    pub(super) event: TriggerEvent,
    pub(super) handler: Rc<Callable>,
}

#[derive(Debug, Clone)]
pub(super) struct TableValue {
    pub(super) place: Place,
    pub(super) columns: Map<Name, (Place, Rc<ColumnValue>)>,
    /// A column could not be read.
    pub(super) incomplete: bool,
    pub(super) indexes: Vec<IndexValue>,
    pub(super) relations: Vec<(Name, Place, Rc<RelationValue>)>,
    pub(super) triggers: Vec<(Name, Place, TriggerValue)>,
    pub(super) shard_mode: Option<(ShardMode, Place)>,
    pub(super) soft_delete: Option<(Name, Place)>,
    pub(super) time_to_live: Option<(Name, Place, f64)>,
    pub(super) is_public: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SchemaValue {
    pub(super) tables: TableMap,
    /// A table could not be read: unknown names are not necessarily wrong.
    pub(super) incomplete: bool,
    pub(super) jurisdiction: Option<String>,
    pub(super) rls_required: bool,
}

/// `defineSchemaExtension(key, { tables })`
#[derive(Debug, Clone)]
pub(super) struct ExtensionValue {
    pub(super) key: Name,
    pub(super) tables: TableMap,
    pub(super) incomplete: bool,
}

/// Something that is called: a handler or a middleware.
#[derive(Debug, Clone)]
pub(super) enum Callable {
    Function(FunctionRef),
    /// Made by a package of ours, which touches what the schema says it does.
    Trusted,
    /// Cannot be seen; the text names it.
    Unseen(String, Place),
}

#[derive(Debug, Clone)]
pub(super) struct BuilderValue {
    pub(super) kind: FunctionKind,
    pub(super) visibility: Visibility,
    pub(super) input: Map<Name, (Place, Rc<ColumnValue>)>,
    pub(super) output: Option<Rc<ColumnValue>>,
    pub(super) middleware: Vec<Callable>,
    pub(super) shard: Option<(Name, Place)>,
    pub(super) fan_out: Option<(FanOutMerge, Place)>,
    /// Part of the chain could not be read, which has been reported.
    pub(super) incomplete: bool,
}

/// How something that runs was declared, which decides what its handler is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `query.input({ … }).query(({ ctx, args }) => …)`
    Chain,
    /// `mutator({ args, apply, server, use })`: `(ctx, args) => …`
    Mutator,
    /// `shape({ table, args, where, use })`: `(ctx, args) => …`
    Shape,
}

/// A finished chain, a mutator, or what a shape runs.
#[derive(Debug, Clone)]
pub(super) struct RegisteredValue {
    pub(super) form: Form,
    pub(super) builder: Rc<BuilderValue>,
    /// The handler, `server` or `where`.
    pub(super) handler: Callable,
    /// `apply` of a mutator that has a `server` as well: it runs in clients alone.
    pub(super) client_half: Option<Callable>,
}

/// `shape({ … })`
#[derive(Debug, Clone)]
pub(super) struct ShapeValue {
    pub(super) table: (Name, Place),
    pub(super) columns: Vec<(Name, Place)>,
    /// Its arguments, its `where` as the handler, its `use`.
    pub(super) registered: Rc<RegisteredValue>,
}

/// `defineMigration({ … })`
#[derive(Debug, Clone)]
pub(super) struct MigrationValue {
    pub(super) id: (Name, Place),
    pub(super) table: (Name, Place),
    pub(super) has_down: bool,
}
