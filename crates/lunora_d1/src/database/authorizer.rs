//! What statements may do: what D1 allows, and nothing that reaches outside of the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Functions of SQLite that D1 has.
const FUNCTIONS: &[&str] = &[
    "->",
    "->>",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg",
    "bm25",
    "ceil",
    "changes",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "count",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "highlight",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "jsonb",
    "jsonb_array",
    "jsonb_extract",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_insert",
    "jsonb_object",
    "jsonb_patch",
    "jsonb_remove",
    "jsonb_replace",
    "jsonb_set",
    "julianday",
    "lag",
    "last_insert_rowid",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log2",
    "lower",
    "ltrim",
    "match",
    "max",
    "min",
    "mod",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "pow",
    "printf",
    "quote",
    "radians",
    "random",
    "randomblob",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtreecheck",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "snippet",
    "sqrt",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "tan",
    "tanh",
    "time",
    "timediff",
    "total",
    "total_changes",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
    "zeroblob",
];

/// Functions by which `ALTER TABLE` works; SQLite itself keeps users from them.
const OF_ALTER_TABLE: &[&str] = &[
    "sqlite_add_constraint",
    "sqlite_drop_column",
    "sqlite_drop_constraint",
    "sqlite_fail",
    "sqlite_find_constraint",
    "sqlite_rename_column",
    "sqlite_rename_quotefix",
    "sqlite_rename_table",
    "sqlite_rename_test",
];

/// Functions and a pragma that tell of this connection's own writes, or of others'.
const OF_THE_WRITER: &[&str] = &["changes", "data_version", "last_insert_rowid", "total_changes"];

/// Pragmas that only tell.
const TELLING_PRAGMAS: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "index_info",
    "index_list",
    "index_xinfo",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that change how later statements of the transaction run.
pub(crate) const SETTINGS: &[&str] = &[
    "case_sensitive_like",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "legacy_alter_table",
    "recursive_triggers",
    "reverse_unordered_selects",
];

const MODULES: &[&str] = &["fts5", "fts5vocab", "rtree", "rtree_i32"];

/// Whose statements are judged, and what was seen in them.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Statements of this crate: everything goes.
    is_trusted: AtomicBool,
    /// A statement asks for what only the writer's connection knows or may do.
    needs_writer: AtomicBool,
    /// A statement changed a setting.
    has_settings: AtomicBool,
}

impl Rules {
    /// Runs a piece of this crate's own work.
    pub fn trusted<T>(&self, work: impl FnOnce() -> T) -> T {
        self.is_trusted.store(true, Ordering::Relaxed);
        let result = work();
        self.is_trusted.store(false, Ordering::Relaxed);
        result
    }

    /// Whether a statement since the last call needs the writer.
    pub fn take_needs_writer(&self) -> bool {
        self.needs_writer.swap(false, Ordering::Relaxed)
    }

    /// Whether a statement since the last call changed a setting.
    pub fn take_has_settings(&self) -> bool {
        self.has_settings.swap(false, Ordering::Relaxed)
    }

    /// The hook for a connection.
    pub fn hook(self: &Arc<Self>) -> impl for<'r> FnMut(AuthContext<'r>) -> Authorization + Send + 'static {
        let rules = self.clone();
        move |context| {
            if rules.is_trusted.load(Ordering::Relaxed) || rules.allows(context.action) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }
    }

    fn allows(&self, action: AuthAction<'_>) -> bool {
        let one_of = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        match action {
            AuthAction::Function { function_name } => {
                if one_of(OF_THE_WRITER, function_name) {
                    self.needs_writer.store(true, Ordering::Relaxed);
                }
                one_of(FUNCTIONS, function_name) || one_of(OF_ALTER_TABLE, function_name)
            }
            AuthAction::Pragma {
                pragma_name,
                pragma_value,
            } => {
                if one_of(OF_THE_WRITER, pragma_name) {
                    self.needs_writer.store(true, Ordering::Relaxed);
                    return true;
                }
                if one_of(SETTINGS, pragma_name) || pragma_name.eq_ignore_ascii_case("optimize") {
                    self.needs_writer.store(true, Ordering::Relaxed);
                    self.has_settings.store(true, Ordering::Relaxed);
                    return true;
                }
                one_of(TELLING_PRAGMAS, pragma_name)
                    || (pragma_name.eq_ignore_ascii_case("page_size") && pragma_value.is_none())
            }
            AuthAction::CreateVtable { module_name, .. } => one_of(MODULES, module_name),
            AuthAction::CreateTable { table_name: name }
            | AuthAction::CreateView { view_name: name }
            | AuthAction::CreateIndex { index_name: name, .. }
            | AuthAction::CreateTrigger { trigger_name: name, .. } => !is_reserved(name),
            AuthAction::Read { table_name, .. } => !table_name.eq_ignore_ascii_case("dbstat"),
            AuthAction::Attach { .. }
            | AuthAction::Detach { .. }
            | AuthAction::Transaction { .. }
            | AuthAction::Savepoint { .. }
            | AuthAction::CreateTempIndex { .. }
            | AuthAction::CreateTempTable { .. }
            | AuthAction::CreateTempTrigger { .. }
            | AuthAction::CreateTempView { .. }
            | AuthAction::DropTempIndex { .. }
            | AuthAction::DropTempTable { .. }
            | AuthAction::DropTempTrigger { .. }
            | AuthAction::DropTempView { .. }
            | AuthAction::Unknown { .. } => false,
            _ => true,
        }
    }
}

/// Names that D1 keeps for itself.
fn is_reserved(name: &str) -> bool {
    name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("_cf_"))
}
