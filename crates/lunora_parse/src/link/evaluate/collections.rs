//! Arrays and objects, with what is spread into them.

use std::rc::Rc;

use lunora_diagnostics::{Diagnostic, codes};
use rustc_hash::FxBuildHasher;

use super::describe::describe;
use super::{Evaluator, Read};
use crate::facts::{Expression, Item, Name, Property};
use crate::link::modules::FileIndex;
use crate::link::value::{Entry, Map, Place, Placed, Value};

impl Evaluator<'_> {
    pub(in crate::link) fn read_items(&mut self, file: FileIndex, items: &[Item]) -> Read<Vec<Placed>> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let placed = self.placed(file, &item.expression)?;
            if !item.spread {
                values.push(placed);
                continue;
            }
            match placed.value {
                Value::Array(items) => values.extend(items.iter().cloned()),
                _ => {
                    return self.not_static(
                        placed.place,
                        &describe(&item.expression),
                        "only arrays can be spread here",
                        "Write the elements in place.",
                    );
                }
            }
        }
        Ok(values)
    }

    pub(super) fn read_object(&mut self, file: FileIndex, properties: &[Property]) -> Read<Value> {
        let mut entries: Map<Name, Entry> = Map::with_capacity_and_hasher(properties.len(), FxBuildHasher);
        let mut written: Vec<Name> = Vec::new();
        for property in properties {
            match property {
                Property::Named { name, span, value } => {
                    let key = Place { file, span: *span };
                    self.entry(file, &mut entries, &mut written, name.clone(), key, value);
                }
                Property::Computed { key, value } => {
                    let place = self.place(file, key);
                    match self.read(file, key) {
                        Ok(Value::String(name)) => {
                            self.entry(file, &mut entries, &mut written, name, place, value);
                        }
                        Ok(_) => {
                            return self.not_static(
                                place,
                                &describe(key),
                                "a computed key must be a constant string",
                                "Write the key as it is.",
                            );
                        }
                        Err(stop) => return Err(stop),
                    }
                }
                Property::Spread(expression) => {
                    let place = self.place(file, expression);
                    match self.read(file, expression)? {
                        Value::Object(spread) => {
                            for (name, entry) in spread.iter() {
                                entries.insert(name.clone(), entry.clone());
                            }
                        }
                        _ => {
                            return self.not_static(
                                place,
                                &describe(expression),
                                "only constant objects can be spread here",
                                "Write the properties in place.",
                            );
                        }
                    }
                }
                Property::Accessor(span) => {
                    let place = Place { file, span: *span };
                    return self.not_static(
                        place,
                        "a getter or setter",
                        "functions are not run while reading",
                        "Write a plain property.",
                    );
                }
            }
        }
        Ok(Value::Object(Rc::new(entries)))
    }

    fn entry(
        &mut self,
        file: FileIndex,
        entries: &mut Map<Name, Entry>,
        written: &mut Vec<Name>,
        name: Name,
        key: Place,
        value: &Expression,
    ) {
        if written.contains(&name) {
            let first = entries.get(&name).map(|entry| entry.key);
            let path = self.modules.path(key.file);
            let mut diagnostic = Diagnostic::error(
                codes::DUPLICATE_KEY,
                format!("`{name}` is declared twice in the same object; the first would be lost"),
            )
            .at(path, key.span)
            .with_help("Remove or rename one of them.");
            if let Some(first) = first {
                diagnostic = diagnostic.and_at(self.modules.path(first.file), first.span, "first declared here");
            }
            self.diagnostics.push(diagnostic);
            return;
        }
        written.push(name.clone());
        // A property that cannot be read leaves the others standing.
        let value = self.placed(file, value).ok();
        entries.insert(name, Entry { key, value });
    }
}
