//! The address that a function states itself, held against what it touches.

use lunora_diagnostics::codes;
use lunora_ir::{Address, ROOT_OBJECT, ShardMode, Validator};

use super::address::Decision;
use super::suggest::{hint, listed};
use super::value::Place;
use super::written::written;
use crate::facts::Name;

impl Decision<'_, '_> {
    /// The address that `.shard("…")` states.
    pub(super) fn stated(&mut self, argument: &Name, place: Place) -> Option<Address> {
        if &**argument == ROOT_OBJECT {
            return Some(Address::Root);
        }
        let builder = &self.function.builder;
        let Some((_, column)) = builder.input.get(argument) else {
            if builder.incomplete {
                return None;
            }
            let known: Vec<&str> = builder.input.keys().map(|name| &**name).collect();
            let message = format!("`.shard(\"{argument}\")` names no argument of `{}`", self.path);
            self.evaluator
                .report(codes::UNKNOWN_ARGUMENT, place, message, hint(argument, &known));
            return None;
        };
        let validator = column.validator.clone();
        let visible: Vec<(String, String)> = self
            .tiers()
            .fields
            .iter()
            .map(|(field, table)| ((*field).to_owned(), (*table).to_owned()))
            .collect();
        let id = match validator.unwrapped() {
            Validator::Id { table } => self.schema.tables.get(table).and_then(|found| match &found.shard_mode {
                ShardMode::ShardBy { field } => Some((table.clone(), field.clone())),
                _ => None,
            }),
            _ => None,
        };
        if visible.len() > 1 {
            let message = format!(
                "`{}` touches tables sharded by {}; one call reaches one shard",
                self.path,
                listed(visible.iter().map(|(field, _)| field.as_str()))
            );
            let help = "Split it into functions that each touch tables sharded by one field.";
            self.evaluator.report(codes::CROSS_SHARD, place, message, help);
            return None;
        }
        if let Some((table, field)) = id
            && visible.first().is_none_or(|(visible, _)| *visible == field)
        {
            if !self.required(argument, &validator) {
                return None;
            }
            return Some(Address::Id {
                argument: argument.to_string(),
                table,
                field,
            });
        }
        let all = self.schema.shard_fields();
        let field = match (visible.first(), &all[..]) {
            (Some((field, _)), _) => field.clone(),
            (None, fields) if fields.contains(&&**argument) => argument.to_string(),
            (None, [only]) => (*only).to_owned(),
            (None, fields) => {
                let message = format!(
                    "`.shard(\"{argument}\")` does not say which shard field it is a value of; there are {}",
                    listed(fields.iter().copied())
                );
                let help = "Call the argument like the shard field.";
                self.evaluator
                    .report(codes::SHARD_FIELD_AMBIGUOUS, place, message, help);
                return None;
            }
        };
        let table = self
            .schema
            .tables
            .iter()
            .find(|(_, table)| matches!(&table.shard_mode, ShardMode::ShardBy { field: shard } if *shard == field))
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        self.check_argument(argument, &field, &table)
            .then(|| Address::Argument {
                argument: argument.to_string(),
                field,
            })
    }

    fn required(&mut self, argument: &Name, validator: &Validator) -> bool {
        if !validator.is_optional() && !matches!(validator, Validator::Nullable { .. }) {
            return true;
        }
        let place = self
            .function
            .builder
            .input
            .get(argument)
            .map_or(self.place, |(place, _)| *place);
        let message = format!("`{argument}` names the shard of `{}` and may be missing", self.path);
        self.evaluator.report(
            codes::SHARD_ARGUMENT_OPTIONAL,
            place,
            message,
            format!("Declare `{argument}: {}`.", written(validator.unwrapped())),
        );
        false
    }
}
