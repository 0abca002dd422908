//! The shard that a shape is in.
//!
//! A shape is a live part of one table in one shard, so its table decides, not the way its rows are reached. Rows of a
//! `.global()` table are in D1; the root shard follows them for whoever subscribes.

use lunora_diagnostics::codes;
use lunora_ir::{Address, ROOT_OBJECT, ShardMode};

use super::address::Decision;
use super::value::Place;
use crate::facts::Name;

/// Where a table lives, as far as a shape can be there.
#[derive(Clone, PartialEq, Eq)]
enum Home {
    Root,
    Shard { field: String },
}

impl Home {
    fn written(&self) -> String {
        match self {
            Self::Root => format!("in `{ROOT_OBJECT}`"),
            Self::Shard { field } => format!("in a shard for each `{field}`"),
        }
    }
}

impl Decision<'_, '_> {
    /// Decides for a shape of `table`, which exists; what stands in the way has been reported when the answer is
    /// `None`. `place` is where the table is named.
    pub(super) fn shape(&mut self, table: &str, place: Place) -> Option<Address> {
        let mode = self.schema.tables.get(table)?.shard_mode.clone();
        let sound = [
            self.check_moments(),
            self.check_seen(),
            self.check_writes(),
            self.check_global(table, place),
        ];
        if sound.contains(&false) {
            return None;
        }
        let read = self.homes_read();
        let (owner, home) = match mode {
            ShardMode::ShardBy { field } => (table.to_owned(), Home::Shard { field }),
            ShardMode::Root | ShardMode::Global => (table.to_owned(), Home::Root),
            // It lives wherever it is touched: what the condition reads decides.
            ShardMode::Colocated => read.first().cloned().unwrap_or((table.to_owned(), Home::Root)),
        };
        if let Some((other, elsewhere)) = read.iter().find(|(_, other)| *other != home) {
            let is_own = owner == table;
            self.joins((&owner, &home, is_own), (other, elsewhere));
            return None;
        }
        match home {
            Home::Root => Some(Address::Root),
            Home::Shard { field } => self.in_shard(&field, &owner, place),
        }
    }

    /// Each place that the condition reads tables of, with one of them; sharded ones first.
    fn homes_read(&self) -> Vec<(String, Home)> {
        let tiers = self.tiers();
        let sharded = tiers.fields.iter().map(|(field, table)| {
            let field = (*field).to_owned();
            ((*table).to_owned(), Home::Shard { field })
        });
        sharded
            .chain(tiers.root.map(|table| (table.to_owned(), Home::Root)))
            .collect()
    }

    fn in_shard(&mut self, field: &str, table: &str, place: Place) -> Option<Address> {
        let argument: Name = field.into();
        if self.function.builder.input.contains_key(&argument) {
            return self.check_argument(&argument, field, table).then(|| Address::Argument {
                argument: field.to_owned(),
                field: field.to_owned(),
            });
        }
        // Arguments that could not be read may well hold the field.
        if self.function.builder.incomplete {
            return None;
        }
        let by_id = match self.by_id(field) {
            Some(Address::Id { argument, .. }) => {
                format!("; the shard that the id `{argument}` carries is not looked at for a shape")
            }
            _ => String::new(),
        };
        let message = format!(
            "`{}` is over `{table}`, which lives in a shard for each `{field}`, and no argument names the shard{by_id}",
            self.path
        );
        let help = format!("Add `{field}: {}` to `args`.", self.declared(table, field));
        self.evaluator.report(codes::SHARD_NOT_IN_INPUT, place, message, help);
        None
    }

    /// Time and chance: nothing would ask the condition again when they have gone on.
    fn check_moments(&mut self) -> bool {
        let moments = self.touches.moments.clone();
        for (place, written) in &moments {
            let message = format!(
                "`where` of `{}` looks at `{written}`: nothing asks the condition again when that has another answer",
                self.path
            );
            let help = "Take a fixed point in time as an argument, or store what decides in the row and change it with a mutation.";
            self.report_with_function(codes::SHAPE_NOT_DETERMINISTIC, *place, message, help.to_owned());
        }
        moments.is_empty()
    }

    /// Nothing tells a shard of changes in D1, so nothing would ask the condition again. Of a shape over rows of D1 too: the
    /// shard follows the table of the shape, and reads it alone.
    fn check_global(&mut self, table: &str, place: Place) -> bool {
        let Some(read) = self.tiers().global.map(str::to_owned) else {
            return true;
        };
        let message = format!(
            "`where` of `{}` reads `{read}`, which is `.global()`: its rows are in D1, which does not tell the shard when they change, so rows would be shown that do not belong to the shape any more",
            self.path
        );
        let help = if read == table {
            "Answer a condition over the columns of the row itself.".to_owned()
        } else {
            format!("Store what the condition needs of `{read}` in rows of `{table}`.")
        };
        let place = self.touches.place_of(&read).unwrap_or(place);
        self.report_with_function(codes::SHAPE_READS_GLOBAL, place, message, help);
        false
    }

    fn is_global(&self, table: &str) -> bool {
        let table = self.schema.tables.get(table);
        table.is_some_and(|table| table.shard_mode == ShardMode::Global)
    }

    fn joins(&mut self, (table, home, is_own): (&str, &Home, bool), (other, elsewhere): (&str, &Home)) {
        let is_global = self.is_global(table);
        let elsewhere_text = elsewhere.written();
        let home_text = if is_global {
            format!("in D1 and is followed by `{ROOT_OBJECT}`")
        } else {
            home.written()
        };
        let what = if is_own {
            format!(
                "`{}` is over `{table}`, which lives {home_text}, and its `where` reads `{other}`, which lives {elsewhere_text}",
                self.path
            )
        } else {
            format!(
                "`where` of `{}` reads `{table}`, which lives {home_text}, and `{other}`, which lives {elsewhere_text}",
                self.path
            )
        };
        let message = format!(
            "{what}: there is no live join over shards, because there is no moment at which both can be compared"
        );
        let together = match (home, elsewhere) {
            _ if is_global => String::new(),
            (Home::Root, Home::Root) => String::new(),
            (Home::Shard { field }, _) => format!(", or shard `{other}` by `{field}` too"),
            (Home::Root, Home::Shard { field }) => format!(", or shard `{table}` by `{field}` too"),
        };
        let help = format!("Store what the condition needs of `{other}` in rows of `{table}`{together}.");
        let place = self.touches.place_of(other).unwrap_or(self.place);
        self.report_with_function(codes::SHAPE_JOINS_SHARDS, place, message, help);
    }
}
