//! The address of a function, decided from what it touches and what it is given.

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{Address, FanOutMerge, FunctionKind, ROOT_OBJECT, ShardMode, Validator};

use super::builders::terminal;
use super::evaluate::Evaluator;
use super::schema::{SchemaModel, shard_kind};
use super::touches::Touches;
use super::value::{Form, Place, RegisteredValue};
use super::written::written;
use crate::facts::Name;

/// Everything the decision needs.
pub(super) struct Decision<'decision, 'modules> {
    pub(super) evaluator: &'decision mut Evaluator<'modules>,
    pub(super) schema: &'decision SchemaModel,
    pub(super) function: &'decision RegisteredValue,
    pub(super) touches: &'decision Touches,
    /// The function's path, for messages.
    pub(super) path: &'decision str,
    /// The name it is exported by.
    pub(super) place: Place,
}

/// What a function reaches, by tier.
#[derive(Default)]
pub(super) struct Tiers<'schema> {
    /// Each shard field with one of its tables.
    pub(super) fields: Vec<(&'schema str, &'schema str)>,
    pub(super) root: Option<&'schema str>,
    pub(super) global: Option<&'schema str>,
}

impl Decision<'_, '_> {
    /// Decides; what stands in the way has been reported when the answer is `None`.
    pub(super) fn decide(&mut self) -> Option<Address> {
        let builder = &self.function.builder;
        if builder.kind == FunctionKind::Action {
            return self.action();
        }
        let sound = self.check_writes();
        let address = match &builder.shard {
            Some((argument, place)) => self.stated(argument, *place),
            None => self.inferred(),
        };
        if let (Some((_, place)), Some(address)) = (&builder.fan_out, &address)
            && !matches!(address, Address::FanOut { .. })
        {
            let path = self.evaluator.modules.path(place.file);
            let message = format!("`.fanOut` has no effect: `{}` runs in one shard", self.path);
            self.evaluator.diagnostics.push(
                Diagnostic::warning(codes::FAN_OUT_UNUSED, message)
                    .at(path, place.span)
                    .with_help("Remove it."),
            );
        }
        address.filter(|_| sound)
    }

    fn action(&mut self) -> Option<Address> {
        let builder = &self.function.builder;
        if let Some((_, place)) = builder.shard.as_ref() {
            let message = "an action runs in the Worker, not in a shard";
            self.evaluator
                .report(codes::ACTION_HAS_NO_SHARD, *place, message, "Remove `.shard(…)`.");
        }
        if let Some((_, place)) = builder.fan_out.as_ref() {
            let message = "an action runs in the Worker and does not fan out";
            self.evaluator
                .report(codes::ACTION_HAS_NO_SHARD, *place, message, "Remove `.fanOut(…)`.");
        }
        // `ctx` handed on as a whole is fine in an action, whose `ctx` reaches no shard.
        let visible = self
            .touches
            .tables()
            .first()
            .and_then(|table| self.touches.place_of(table));
        let used = visible.or_else(|| self.touches.by_unknown_id.first().copied());
        if let Some(place) = used {
            let message = format!("`{}` is an action, and an action has no `ctx.db`", self.path);
            let help = "Reach data through `ctx.runQuery` and `ctx.runMutation`.";
            self.evaluator.report(codes::DB_IN_ACTION, place, message, help);
            return None;
        }
        Some(Address::Worker)
    }

    /// The rest of a help text: chains can say where they run, shapes and mutators cannot.
    fn or_state_it(&self) -> &'static str {
        match self.function.form {
            Form::Chain => ", or state it with `.shard(\"argName\")` or `.shard(\"__root__\")`",
            Form::Mutator | Form::Shape => "",
        }
    }

    /// What the arguments are declared with.
    fn declares_arguments(&self) -> &'static str {
        match self.function.form {
            Form::Chain => ".input",
            Form::Mutator | Form::Shape => "args",
        }
    }

    pub(super) fn tiers(&self) -> Tiers<'_> {
        let mut tiers = Tiers::default();
        for name in self.touches.tables() {
            let Some((name, table)) = self.schema.tables.get_key_value(&**name) else {
                continue;
            };
            match &table.shard_mode {
                ShardMode::Root => tiers.root = tiers.root.or(Some(name)),
                ShardMode::Global => tiers.global = tiers.global.or(Some(name)),
                ShardMode::Colocated => {}
                ShardMode::ShardBy { field } => {
                    if !tiers.fields.iter().any(|(before, _)| before == field) {
                        tiers.fields.push((field, name));
                    }
                }
            }
        }
        tiers
    }

    pub(super) fn check_writes(&mut self) -> bool {
        let builder = &self.function.builder;
        if matches!(builder.kind, FunctionKind::Query | FunctionKind::Stream) {
            let Some((table, place)) = self.touches.writes.iter().next() else {
                return true;
            };
            let (message, help) = match self.function.form {
                Form::Shape => (
                    format!(
                        "`where` of `{}` writes to `{table}`, and a condition only reads",
                        self.path
                    ),
                    "Write in a mutation.",
                ),
                Form::Chain | Form::Mutator => (
                    format!(
                        "`{}` is a {} and writes to `{table}`",
                        self.path,
                        terminal(builder.kind)
                    ),
                    "Make it a mutation.",
                ),
            };
            self.evaluator.report(codes::WRITE_IN_QUERY, *place, message, help);
            return false;
        }
        let mut global = None;
        let mut stored = None;
        for (table, place) in &self.touches.writes {
            match self.schema.tables.get(&**table).map(|table| &table.shard_mode) {
                Some(ShardMode::Global) => global = global.or(Some((table.clone(), *place))),
                Some(_) => stored = stored.or(Some((table.clone(), *place))),
                None => {}
            }
        }
        let (Some((global, global_place)), Some((stored, stored_place))) = (global, stored) else {
            return true;
        };
        let message = format!(
            "`{}` writes to `{stored}`, which lives in a shard, and to `{global}`, which lives in D1: one can be written without the other",
            self.path
        );
        let path = self.evaluator.modules.path(global_place.file);
        let stored_path = self.evaluator.modules.path(stored_place.file);
        self.evaluator.diagnostics.push(
            Diagnostic::error(codes::MIXED_WRITES, message)
                .at(path, global_place.span)
                .and_at(stored_path, stored_place.span, "the write to the shard")
                .with_help(
                    "Write to `.global()` tables in a mutation of its own, called from an action or the scheduler.",
                ),
        );
        false
    }

    // ---- inferred

    fn inferred(&mut self) -> Option<Address> {
        if !self.check_seen() {
            return None;
        }
        let tiers = self.tiers();
        match (&tiers.fields[..], tiers.root) {
            ([], _) => {
                let nothing = tiers.root.is_none() && tiers.global.is_none();
                match self.touches.by_unknown_id.first().copied() {
                    Some(place)
                        if nothing && self.touches.tables().is_empty() && !self.schema.shard_fields().is_empty() =>
                    {
                        self.undecided_by_id(place);
                        None
                    }
                    _ => Some(Address::Root),
                }
            }
            ([(field, table)], None) => {
                let (field, table) = ((*field).to_owned(), (*table).to_owned());
                self.sharded(&field, &table)
            }
            ([(field, table)], Some(root)) => {
                let message = format!(
                    "`{}` touches `{table}`, which lives in a shard for each `{field}`, and `{root}`, which lives in `{ROOT_OBJECT}`: no transaction and no query reaches both",
                    self.path
                );
                let (table, root) = ((*table).to_owned(), root.to_owned());
                let help = format!(
                    "Store what it needs of `{root}` in rows of `{table}`, shard `{root}` by `{field}` too, or declare `{root}` with `.global()`."
                );
                self.crossing(message, &table, &root, help);
                None
            }
            ([(first_field, first), (second_field, second), ..], _) => {
                let message = format!(
                    "`{}` touches `{first}`, sharded by `{first_field}`, and `{second}`, sharded by `{second_field}`: no transaction and no query reaches both",
                    self.path
                );
                let help = format!(
                    "Shard both tables by one field, store what it needs of one in rows of the other, or declare one with `.global()`. {}",
                    "Independent parts can be functions of their own."
                );
                let (first, second) = ((*first).to_owned(), (*second).to_owned());
                self.crossing(message, &first, &second, help);
                None
            }
        }
    }

    /// Whether all that it touches can be seen; what cannot has been reported.
    pub(super) fn check_seen(&mut self) -> bool {
        let or_state_it = self.or_state_it();
        for unseen in self.touches.unseen.clone() {
            let help = if unseen.code == codes::TABLE_NOT_STATIC {
                format!("Write the table's name as a string or a constant{or_state_it}.")
            } else {
                format!("Keep `ctx` in functions of the app's folder and pass on plain data{or_state_it}.")
            };
            let message = format!("the shard of `{}` cannot be decided: {}", self.path, unseen.message);
            self.report_with_function(unseen.code, unseen.place, message, help);
        }
        self.touches.unseen.is_empty()
    }

    fn undecided_by_id(&mut self, place: Place) {
        let message = format!(
            "the shard of `{}` cannot be decided: which table the id belongs to is not visible here",
            self.path
        );
        let help = format!(
            "Take the id from an argument declared as `v.id(\"table\")`{}.",
            self.or_state_it()
        );
        self.report_with_function(codes::ADDRESS_UNDECIDABLE, place, message, help);
    }

    pub(super) fn report_with_function(
        &mut self,
        code: lunora_diagnostics::Code,
        place: Place,
        message: String,
        help: String,
    ) {
        let modules = self.evaluator.modules;
        let mut diagnostic = Diagnostic::error(code, message).at(modules.path(place.file), place.span);
        // The function itself is worth showing when the place is in a helper elsewhere.
        if place.file != self.place.file {
            diagnostic = diagnostic.and_at(
                modules.path(self.place.file),
                self.place.span,
                "reached from this function",
            );
        }
        self.evaluator.diagnostics.push(diagnostic.with_help(help));
    }

    fn crossing(&mut self, message: String, first: &str, second: &str, help: String) {
        let modules = self.evaluator.modules;
        let mut places: Vec<(Place, String)> = [first, second]
            .iter()
            .filter_map(|table| Some((self.touches.place_of(table)?, format!("`{table}` is touched here"))))
            .collect();
        let mut diagnostic = Diagnostic::error(codes::CROSS_SHARD, message);
        if let Some((place, _)) = places.pop() {
            diagnostic = diagnostic.at(modules.path(place.file), place.span);
        }
        for (place, text) in places {
            diagnostic = diagnostic.and_at(modules.path(place.file), place.span, text);
        }
        self.evaluator.diagnostics.push(diagnostic.with_help(help));
    }

    /// One shard field decides.
    fn sharded(&mut self, field: &str, table: &str) -> Option<Address> {
        let builder = &self.function.builder;
        let name: Name = field.into();
        if builder.input.contains_key(&name) {
            return self.check_argument(&name, field, table).then(|| Address::Argument {
                argument: field.to_owned(),
                field: field.to_owned(),
            });
        }
        if let Some(address) = self.by_id(field) {
            return Some(address);
        }
        match builder.kind {
            FunctionKind::Query => {
                let merge = builder.fan_out.as_ref().map_or(
                    FanOutMerge::Concat {
                        by: None,
                        direction: None,
                    },
                    |(merge, _)| merge.clone(),
                );
                Some(Address::FanOut {
                    field: field.to_owned(),
                    merge,
                })
            }
            // An input that could not be read may well hold the field.
            _ if builder.incomplete => None,
            _ => {
                let place = self.touches.place_of(table).unwrap_or(self.place);
                let declared = self.declared(table, field);
                let reaches = match builder.kind {
                    FunctionKind::Stream => "streams from",
                    _ => "writes to",
                };
                let message = format!(
                    "`{}` {reaches} `{table}`, which lives in a shard for each `{field}`, and nothing in its input names the shard",
                    self.path
                );
                let help = format!(
                    "Add `{field}: {declared}` to `{}`{}.",
                    self.declares_arguments(),
                    self.or_state_it()
                );
                self.report_with_function(codes::SHARD_NOT_IN_INPUT, place, message, help);
                None
            }
        }
    }

    /// A field the way the schema writes it.
    pub(super) fn declared(&self, table: &str, field: &str) -> String {
        let column = self.schema.tables.get(table).and_then(|table| table.columns.get(field));
        column.map_or_else(|| "v.string()".to_owned(), |column| written(&column.validator))
    }

    /// The first required argument that is the id of a table sharded by the field.
    pub(super) fn by_id(&self, field: &str) -> Option<Address> {
        self.function.builder.input.iter().find_map(|(argument, (_, column))| {
            let validator = &column.validator;
            if validator.is_optional() || matches!(validator, Validator::Nullable { .. }) {
                return None;
            }
            let Validator::Id { table } = validator.unwrapped() else {
                return None;
            };
            let mode = &self.schema.tables.get(table)?.shard_mode;
            let carries = matches!(mode, ShardMode::ShardBy { field: shard } if shard == field);
            carries.then(|| Address::Id {
                argument: argument.to_string(),
                table: table.clone(),
                field: field.to_owned(),
            })
        })
    }

    /// Whether an argument can name a shard of the table.
    pub(super) fn check_argument(&mut self, argument: &Name, field: &str, table: &str) -> bool {
        let builder = &self.function.builder;
        let Some((place, column)) = builder.input.get(argument) else {
            return false;
        };
        let (place, validator) = (*place, column.validator.clone());
        let declared = self.schema.tables.get(table).and_then(|table| table.columns.get(field));
        let wanted = declared.map(|column| column.validator.clone());
        let wanted_text = wanted.as_ref().map_or_else(|| "v.string()".to_owned(), written);
        if validator.is_optional() || matches!(validator, Validator::Nullable { .. }) {
            let message = format!("`{argument}` names the shard of `{}` and may be missing", self.path);
            let help = format!("Declare `{argument}: {wanted_text}`.");
            self.evaluator
                .report(codes::SHARD_ARGUMENT_OPTIONAL, place, message, help);
            return false;
        }
        let Some(wanted) = wanted else { return true };
        let same_kind = shard_kind(&validator).is_some() && shard_kind(&validator) == shard_kind(&wanted);
        let other_table = matches!(
            (validator.unwrapped(), wanted.unwrapped()),
            (Validator::Id { table: given }, Validator::Id { table: wanted }) if given != wanted
        );
        if !same_kind || other_table {
            let message = format!(
                "`{argument}` names the shard of `{}` and is `{}`, but `{table}.{field}` is `{wanted_text}`",
                self.path,
                written(&validator)
            );
            let help = format!("Declare `{argument}: {wanted_text}`.");
            self.evaluator.report(codes::SHARD_ARGUMENT_TYPE, place, message, help);
            return false;
        }
        true
    }
}
