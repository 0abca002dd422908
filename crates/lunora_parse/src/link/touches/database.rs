//! Calls of `ctx.db`: which tables they read and write.

use lunora_diagnostics::codes;
use lunora_ir::Validator;

use super::Walk;
use super::calls::CallSite;
use super::handle::Handle;
use crate::facts::{Name, WithShape};
use crate::link::modules::FileIndex;
use crate::link::suggest::hint;
use crate::link::value::{Callable, Place};

const DATABASE_METHODS: &[&str] = &[
    "asId",
    "delete",
    "deleteAll",
    "deleteMany",
    "deleteWhere",
    "get",
    "insert",
    "insertMany",
    "insertManyUnsafe",
    "normalizeId",
    "patch",
    "patchMany",
    "patchWhere",
    "query",
    "replace",
    "wipeShard",
];

/// Methods of `ctx.db.<table>` that change nothing.
pub(super) fn is_read(method: &str) -> bool {
    matches!(
        method,
        "findMany"
            | "findFirst"
            | "findUnique"
            | "findRelated"
            | "exists"
            | "count"
            | "aggregate"
            | "groupBy"
            | "rank"
            | "rankPage"
            | "get"
            | "query"
            | "paginate"
            | "withIndex"
            | "filter"
            | "order"
            | "collect"
            | "first"
            | "take"
            | "unique"
    )
}

impl Walk<'_, '_> {
    pub(super) fn database_call(&mut self, method: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) {
        self.use_database(call.callee_place);
        let count = arguments.len();
        match &**method {
            "normalizeId" | "asId" => {}
            "query" => self.table_argument(arguments.first(), false, call),
            "insert" | "insertMany" | "insertManyUnsafe" | "patchWhere" | "deleteWhere" | "deleteAll" => {
                self.table_argument(arguments.first(), true, call);
            }
            "get" if count >= 2 => self.table_argument(arguments.first(), false, call),
            "get" => self.id_argument(arguments.first(), false, call),
            "patch" | "replace" if count >= 3 => self.table_argument(arguments.first(), true, call),
            "patch" | "replace" => self.id_argument(arguments.first(), true, call),
            "delete" if count >= 2 => self.table_argument(arguments.first(), true, call),
            "delete" => self.id_argument(arguments.first(), true, call),
            "patchMany" | "deleteMany" => {
                let named = arguments
                    .first()
                    .is_some_and(|(handle, place)| !self.strings(handle, *place).is_empty());
                if named {
                    self.table_argument(arguments.first(), true, call);
                } else {
                    self.id_argument(arguments.first(), true, call);
                }
            }
            "wipeShard" => {
                let message = "`wipeShard` empties whatever tables the shard holds".to_owned();
                self.unseen(codes::ADDRESS_UNDECIDABLE, call.callee_place, message);
            }
            _ => {
                let mut known: Vec<&str> = DATABASE_METHODS.to_vec();
                known.extend(self.schema.names());
                if !self.schema.incomplete {
                    let message = format!("`ctx.db` has no method `{method}`");
                    self.evaluator.report(
                        codes::UNKNOWN_DATABASE_METHOD,
                        call.callee_place,
                        message,
                        hint(method, &known),
                    );
                }
            }
        }
    }

    fn table_argument(&mut self, argument: Option<&(Handle, Place)>, write: bool, call: &CallSite<'_>) {
        let Some((handle, place)) = argument else {
            self.table_not_static(call.callee_place);
            return;
        };
        let tables = self.strings(handle, *place);
        if tables.is_empty() {
            self.table_not_static(*place);
        }
        for table in tables {
            self.touch_checked(&table, write, *place);
        }
    }

    pub(super) fn table_not_static(&mut self, place: Place) {
        let message = "which table this is depends on a value that is only known when it runs".to_owned();
        self.unseen(codes::TABLE_NOT_STATIC, place, message);
    }

    pub(super) fn touch_checked(&mut self, table: &Name, write: bool, place: Place) {
        self.use_database(place);
        if !self.schema.tables.contains_key(&**table) {
            if !self.schema.incomplete {
                let message = format!("there is no table `{table}`");
                let help = hint(table, &self.schema.names());
                self.evaluator.report(codes::UNKNOWN_TABLE, place, message, help);
            }
            return;
        }
        self.touch(table, write, place);
    }

    pub(super) fn touch(&mut self, table: &Name, write: bool, place: Place) {
        self.use_database(place);
        let list = if write {
            &mut self.touches.writes
        } else {
            &mut self.touches.reads
        };
        if list.contains_key(table) {
            return;
        }
        list.insert(table.clone(), place);
        if write {
            self.follow_write(table, place);
        }
    }

    /// Triggers and `onDelete` run in the transaction of the write.
    fn follow_write(&mut self, table: &Name, place: Place) {
        let schema = self.schema;
        for handler in schema.triggers.get(&**table).into_iter().flatten() {
            match handler {
                Callable::Function(handler) => {
                    // A trigger's parameter is shaped like a handler's: `{ ctx: { db }, document, … }`.
                    let input = self.inputs.len().saturating_sub(1);
                    self.enter_through(place, *handler, Handle::Other, vec![Handle::Handler(input)]);
                }
                Callable::Trusted => {}
                Callable::Unseen(what, declared) => {
                    let message = format!("what {what} does, a trigger of `{table}`, cannot be seen");
                    self.unseen(codes::ADDRESS_UNDECIDABLE, *declared, message);
                }
            }
        }
    }

    fn id_argument(&mut self, argument: Option<&(Handle, Place)>, write: bool, call: &CallSite<'_>) {
        let table = match argument {
            Some((Handle::Arguments(input, path), _)) => self.id_table(*input, path),
            _ => None,
        };
        match table {
            Some(table) if self.schema.tables.contains_key(&*table) => self.touch(&table, write, call.callee_place),
            _ => self.touches.by_unknown_id.push(call.callee_place),
        }
    }

    /// The table of the id that a part of the arguments is validated as.
    fn id_table(&self, input: usize, path: &[Name]) -> Option<Name> {
        let (argument, rest) = path.split_first()?;
        let (_, column) = self.inputs.get(input)?.input.get(argument)?;
        let mut validator = column.validator.unwrapped();
        for step in rest {
            validator = match validator {
                Validator::Object { fields } => fields.get(&**step)?.unwrapped(),
                Validator::Array { item } if &**step == "[]" => item.unwrapped(),
                _ => return None,
            };
        }
        match validator {
            Validator::Id { table } => Some(table.as_str().into()),
            _ => None,
        }
    }

    /// `with: { author: true }` reads the related table.
    pub(super) fn with(&mut self, table: &Name, shape: &WithShape, file: FileIndex) {
        let schema = self.schema;
        let Some(definition) = schema.tables.get(&**table) else {
            return;
        };
        for (relation, span, nested) in &shape.relations {
            let place = Place { file, span: *span };
            match definition.relations.get(&**relation) {
                Some(found) => {
                    let target: Name = found.table.as_str().into();
                    self.touch_checked(&target, false, place);
                    self.with(&target, nested, file);
                }
                None if schema.incomplete => {}
                None => {
                    let known: Vec<&str> = definition.relations.keys().map(String::as_str).collect();
                    let message = format!("the table `{table}` has no relation `{relation}`");
                    self.evaluator
                        .report(codes::UNKNOWN_RELATION, place, message, hint(relation, &known));
                }
            }
        }
    }
}
