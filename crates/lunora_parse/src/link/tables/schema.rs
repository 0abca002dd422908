//! `defineSchema`, `defineSchemaExtension` and their modifiers.

use std::rc::Rc;

use lunora_diagnostics::codes;
use lunora_ir::JURISDICTIONS;
use rustc_hash::FxBuildHasher;

use crate::facts::{Call, Name};
use crate::link::evaluate::{Evaluator, Read, Stop, describe};
use crate::link::modules::FileIndex;
use crate::link::suggest::{hint, nearest};
use crate::link::value::{Entry, ExtensionValue, Map, Place, Placed, SchemaValue, TableMap, Value};

const SCHEMA_MODIFIERS: &[&str] = &["rls", "extend", "jurisdiction"];

/// Only files of the app's folder are read.
const EXTENSION_HELP: &str = "Declare it with `defineSchemaExtension(key, { tables })` in a file of the app's folder.";

impl Evaluator<'_> {
    /// The tables of an object, and whether one of them could not be read.
    fn tables(&mut self, placed: &Placed, owner: &str) -> Read<(TableMap, bool)> {
        let Value::Object(entries) = &placed.value else {
            return self.expected(placed.place, owner, "an object of tables");
        };
        let mut tables = Map::with_capacity_and_hasher(entries.len(), FxBuildHasher);
        let mut incomplete = false;
        for (name, entry) in entries.iter() {
            match &entry.value {
                None => incomplete = true,
                Some(Placed {
                    value: Value::Table(table),
                    ..
                }) => {
                    incomplete |= table.incomplete;
                    tables.insert(name.clone(), (entry.key, table.clone()));
                }
                Some(placed) => {
                    incomplete = true;
                    let message = format!("`{name}` is not a table");
                    self.report(
                        codes::BAD_ARGUMENT,
                        placed.place,
                        message,
                        "Write `defineTable({ … })`.",
                    );
                }
            }
        }
        Ok((tables, incomplete))
    }

    pub(in crate::link) fn define_schema(&mut self, file: FileIndex, call: &Call, _place: Place) -> Read<Value> {
        let placed = self.argument(file, call, 0, "defineSchema", "an object of tables")?;
        self.too_many_arguments(file, call, 1, "defineSchema");
        let (tables, incomplete) = self.tables(&placed, "defineSchema")?;
        Ok(Value::Schema(Rc::new(SchemaValue {
            tables,
            incomplete,
            jurisdiction: None,
            rls_required: false,
        })))
    }

    pub(in crate::link) fn define_extension(&mut self, file: FileIndex, call: &Call, _place: Place) -> Read<Value> {
        let owner = "defineSchemaExtension";
        let (key, _) = self.string_argument(file, call, 0, owner, "the key of the extension")?;
        let Some(options) = self.options(file, call, 1, owner, &["tables"])? else {
            let place = self.place(file, &call.callee);
            return self.expected(place, owner, "`{ tables }`");
        };
        let (tables, incomplete) = match options.get(&Name::from("tables")) {
            Some(Entry {
                value: Some(placed), ..
            }) => self.tables(placed, owner)?,
            _ => {
                let place = self.place(file, &call.callee);
                return self.expected(place, owner, "`{ tables }`");
            }
        };
        Ok(Value::Extension(Rc::new(ExtensionValue {
            key,
            tables,
            incomplete,
        })))
    }

    pub(in crate::link) fn modify_schema(
        &mut self,
        file: FileIndex,
        schema: Rc<SchemaValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let mut schema = Rc::unwrap_or_clone(schema);
        let owner = format!(".{name}");
        match &**name {
            "rls" => {
                if let Ok((mode, place)) = self.string_argument(file, call, 0, &owner, "`\"required\"`") {
                    if &*mode == "required" {
                        schema.rls_required = true;
                    } else {
                        let _ = self.expected::<()>(place, &owner, "`\"required\"`");
                    }
                }
            }
            "jurisdiction" => self.jurisdiction(file, &mut schema, name_place, call, &owner),
            "extend" => self.extend(file, &mut schema, call, &owner),
            _ => {
                let message = format!("a schema has no modifier `.{name}`");
                self.report(
                    codes::UNKNOWN_MODIFIER,
                    name_place,
                    message,
                    hint(name, SCHEMA_MODIFIERS),
                );
            }
        }
        Ok(Value::Schema(Rc::new(schema)))
    }

    fn jurisdiction(&mut self, file: FileIndex, schema: &mut SchemaValue, name_place: Place, call: &Call, owner: &str) {
        let Ok((region, place)) = self.string_argument(file, call, 0, owner, "a region") else {
            return;
        };
        if !JURISDICTIONS.contains(&&*region) {
            let help = match nearest(&region, JURISDICTIONS.iter().copied()) {
                Some(candidate) => format!("Did you mean `{candidate}`?"),
                None => hint(&region, JURISDICTIONS),
            };
            let message = format!("`{region}` is not a jurisdiction of Durable Objects");
            self.report(codes::UNKNOWN_JURISDICTION, place, message, help);
            return;
        }
        match &schema.jurisdiction {
            Some(before) if **before != *region => {
                let message = format!("the schema is already pinned to `{before}`; it has one jurisdiction");
                self.report(
                    codes::UNKNOWN_JURISDICTION,
                    name_place,
                    message,
                    "Keep one `.jurisdiction(…)`.",
                );
            }
            _ => schema.jurisdiction = Some(region.to_string()),
        }
    }

    fn extend(&mut self, file: FileIndex, schema: &mut SchemaValue, call: &Call, owner: &str) {
        let reported = self.diagnostics.len();
        schema.incomplete = match self.argument(file, call, 0, owner, "an extension") {
            Err(Stop) => {
                self.say_where_extensions_are_read(reported, file, call);
                true
            }
            Ok(placed) => match &placed.value {
                Value::Extension(extension) => {
                    for (name, (place, table)) in &extension.tables {
                        let full: Name = format!("{}_{name}", extension.key).into();
                        if schema.tables.contains_key(&full) {
                            let message = format!("the extension's table `{full}` exists already");
                            self.report(codes::DUPLICATE_KEY, placed.place, message, "Rename one of them.");
                        } else {
                            schema.tables.insert(full, (*place, table.clone()));
                        }
                    }
                    schema.incomplete || extension.incomplete
                }
                _ => {
                    let what = call
                        .arguments
                        .first()
                        .map_or_else(String::new, |item| describe(&item.expression));
                    let message = format!("{what} is not an extension that can be read without running it");
                    self.report(codes::NOT_STATIC, placed.place, message, EXTENSION_HELP);
                    true
                }
            },
        };
    }

    /// An extension of a package is not read; what helps is not what helps for a constant.
    fn say_where_extensions_are_read(&mut self, reported: usize, file: FileIndex, call: &Call) {
        let Some(item) = call.arguments.first() else { return };
        let (path, span) = (self.modules.path(file), item.expression.span);
        for diagnostic in &mut self.diagnostics[reported..] {
            let is_here = diagnostic.labels.first().is_some_and(|label| {
                label.file == path && span.start <= label.span.start && label.span.end <= span.end
            });
            if is_here && diagnostic.code == codes::NOT_STATIC {
                diagnostic.help = Some(EXTENSION_HELP.to_owned());
            }
        }
    }
}
