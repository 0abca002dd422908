//! The arguments of a call, each as what it has to be.

use std::rc::Rc;

use lunora_diagnostics::codes;

use super::{Evaluator, Read};
use crate::facts::{Call, Name};
use crate::link::modules::FileIndex;
use crate::link::suggest::hint;
use crate::link::value::{Entry, Map, Place, Placed, Value};

impl Evaluator<'_> {
    /// The argument at an index, read.
    pub(in crate::link) fn argument(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        expects: &str,
    ) -> Read<Placed> {
        match call.arguments.get(index) {
            Some(item) if !item.spread => self.placed(file, &item.expression),
            Some(item) => {
                let place = self.place(file, &item.expression);
                self.not_static(
                    place,
                    "a spread argument",
                    "arguments are read one by one",
                    "Write the arguments out.",
                )
            }
            None => {
                let place = self.place(file, &call.callee);
                let message = format!("`{owner}` is called without {expects}");
                self.stop(codes::BAD_ARGUMENT, place, message, format!("Give it {expects}."))
            }
        }
    }

    pub(in crate::link) fn string_argument(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        expects: &str,
    ) -> Read<(Name, Place)> {
        let placed = self.argument(file, call, index, owner, expects)?;
        match placed.value {
            Value::String(text) => Ok((text, placed.place)),
            _ => self.expected(placed.place, owner, expects),
        }
    }

    pub(in crate::link) fn expected<T>(&mut self, place: Place, owner: &str, expects: &str) -> Read<T> {
        let message = format!("`{owner}` expects {expects} here");
        self.stop(codes::BAD_ARGUMENT, place, message, format!("Write {expects}."))
    }

    /// The properties of an options argument, each known by name; `None` when it is left out.
    pub(in crate::link) fn options(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        known: &[&str],
    ) -> Read<Option<Rc<Map<Name, Entry>>>> {
        if call.arguments.get(index).is_none() {
            return Ok(None);
        }
        let placed = self.argument(file, call, index, owner, "an options object")?;
        let Value::Object(entries) = placed.value else {
            return self.expected(placed.place, owner, "an options object");
        };
        for (name, entry) in entries.iter() {
            if !known.contains(&&**name) {
                let message = format!("`{owner}` has no option `{name}`");
                self.report(codes::UNKNOWN_OPTION, entry.key, message, hint(name, known));
            }
        }
        Ok(Some(entries))
    }

    pub(in crate::link) fn too_many_arguments(&mut self, file: FileIndex, call: &Call, most: usize, owner: &str) {
        if let Some(item) = call.arguments.get(most) {
            let place = self.place(file, &item.expression);
            let message = format!("`{owner}` takes at most {most} arguments; this one would be ignored");
            self.report(codes::BAD_ARGUMENT, place, message, "Remove it.");
        }
    }
}
