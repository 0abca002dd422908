//! The numbers of the entries of each key.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Entry;

/// Numbers, growing.
pub(super) type Numbers = VecDeque<u64>;

/// Keys of one sort. Each is held once, however many entries have it.
#[derive(Debug, Default)]
struct Keyed(HashMap<Arc<str>, Numbers>);

impl Keyed {
    fn add(&mut self, key: Arc<str>, number: u64) -> Arc<str> {
        let key = match self.0.get_key_value(&key) {
            Some((known, _)) => known.clone(),
            None => key,
        };
        self.0.entry(key.clone()).or_default().push_back(number);
        key
    }

    fn remove(&mut self, key: &Arc<str>) {
        let Some(numbers) = self.0.get_mut(key) else { return };
        numbers.pop_front();
        if numbers.is_empty() {
            self.0.remove(key);
        } else if numbers.capacity() > 64 && numbers.len() * 4 < numbers.capacity() {
            // Otherwise every key would keep the room of its busiest time.
            numbers.shrink_to(numbers.len() * 2);
        }
    }
}

/// Lists by type, object, socket and call.
#[derive(Debug, Default)]
pub(super) struct Lists {
    types: Keyed,
    objects: Keyed,
    sockets: Keyed,
    calls: Keyed,
}

impl Lists {
    /// Puts the entry into its lists; it comes back with its keys shared.
    pub(super) fn add(&mut self, mut entry: Entry, number: u64) -> Entry {
        entry.kind = self.types.add(entry.kind, number);
        entry.object = entry.object.map(|key| self.objects.add(key, number));
        entry.socket = entry.socket.map(|key| self.sockets.add(key, number));
        for call in &mut entry.calls {
            *call = self.calls.add(call.clone(), number);
        }
        entry
    }

    /// Takes the oldest entry out of its lists, of which it is the first.
    pub(super) fn remove(&mut self, entry: &Entry) {
        self.types.remove(&entry.kind);
        entry.object.iter().for_each(|key| self.objects.remove(key));
        entry.socket.iter().for_each(|key| self.sockets.remove(key));
        entry.calls.iter().for_each(|key| self.calls.remove(key));
    }

    pub(super) fn has_object(&self, object: &str) -> bool {
        self.objects.0.contains_key(object)
    }

    pub(super) fn of_type(&self, kind: &str) -> Option<&Numbers> {
        self.types.0.get(kind)
    }

    pub(super) fn of_object(&self, object: &str) -> Option<&Numbers> {
        self.objects.0.get(object)
    }

    pub(super) fn of_socket(&self, socket: &str) -> Option<&Numbers> {
        self.sockets.0.get(socket)
    }

    pub(super) fn of_call(&self, call: &str) -> Option<&Numbers> {
        self.calls.0.get(call)
    }

    /// How many keys there are.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        [&self.types, &self.objects, &self.sockets, &self.calls]
            .iter()
            .map(|keyed| keyed.0.len())
            .sum()
    }
}
