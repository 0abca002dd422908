//! Options of a modifier, each as what it has to be.

use crate::facts::Name;
use crate::link::evaluate::{Evaluator, Read, Stop};
use crate::link::value::{Entry, Map, Place, Value};

impl Evaluator<'_> {
    pub(super) fn boolean_option(&mut self, entry: Option<&Entry>, owner: &str) -> Read<bool> {
        match entry {
            None => Ok(false),
            Some(Entry { value: None, .. }) => Err(Stop),
            Some(Entry {
                value: Some(placed), ..
            }) => match placed.value {
                Value::Boolean(boolean) => Ok(boolean),
                _ => self.expected(placed.place, owner, "`true` or `false`"),
            },
        }
    }

    pub(super) fn string_option(
        &mut self,
        options: &Map<Name, Entry>,
        name: &str,
        owner: &str,
    ) -> Read<Option<(Name, Place)>> {
        match options.get(&Name::from(name)) {
            None => Ok(None),
            Some(Entry { value: None, .. }) => Err(Stop),
            Some(Entry {
                value: Some(placed), ..
            }) => match &placed.value {
                Value::String(text) => Ok(Some((text.clone(), placed.place))),
                _ => self.expected(placed.place, owner, "a string"),
            },
        }
    }
}
