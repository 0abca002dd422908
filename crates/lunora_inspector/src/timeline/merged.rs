//! Several lists of growing numbers as one.

use std::collections::vec_deque::Iter;
use std::ops::Range;

use super::lists::Numbers;

/// The numbers of all lists, growing, each once; from both ends.
pub(super) struct Merged<'a>(Vec<Iter<'a, u64>>);

impl<'a> Merged<'a> {
    /// Those that are in `range`.
    pub(super) fn new(lists: Vec<&'a Numbers>, range: &Range<u64>) -> Self {
        let within = |numbers: &'a Numbers| {
            let start = numbers.partition_point(|number| *number < range.start);
            let end = numbers.partition_point(|number| *number < range.end);
            numbers.range(start.min(end)..end)
        };
        Self(lists.into_iter().map(within).collect())
    }
}

impl Iterator for Merged<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let head = |list: &Iter<'_, u64>| list.clone().next().copied();
        let least = self.0.iter().filter_map(head).min()?;
        for list in self.0.iter_mut().filter(|list| head(list) == Some(least)) {
            list.next();
        }
        Some(least)
    }
}

impl DoubleEndedIterator for Merged<'_> {
    fn next_back(&mut self) -> Option<u64> {
        let tail = |list: &Iter<'_, u64>| list.clone().next_back().copied();
        let greatest = self.0.iter().filter_map(tail).max()?;
        for list in self.0.iter_mut().filter(|list| tail(list) == Some(greatest)) {
            list.next_back();
        }
        Some(greatest)
    }
}
