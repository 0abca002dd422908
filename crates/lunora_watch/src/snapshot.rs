//! What was last seen on disk, and what differs from it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::change_set::ChangeKind;

/// Tells one file system object from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// A file or directory as it was seen. For a symbolic link, what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub identity: Identity,
    pub is_directory: bool,
    /// Reached through a symbolic link.
    pub is_link: bool,
    pub modified: SystemTime,
    pub length: u64,
    /// Seen so soon after its last write that a further write may leave the time as it is: file
    /// systems stamp files with the clock's tick, not with the time.
    pub fresh: bool,
}

impl Entry {
    pub(crate) fn differs(&self, newer: &Self) -> bool {
        self.identity != newer.identity || self.modified != newer.modified || self.length != newer.length
    }
}

/// Everything below the roots.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    entries: BTreeMap<PathBuf, Entry>,
}

impl Snapshot {
    pub(crate) fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Entry)> {
        self.entries.iter()
    }

    /// `path` and everything below it; paths sort by component, so it is one run.
    pub(crate) fn below(&self, path: &Path) -> impl Iterator<Item = (&PathBuf, &Entry)> {
        self.entries
            .range::<Path, _>((Bound::Included(path), Bound::Unbounded))
            .take_while(move |(found, _)| found.starts_with(path))
    }

    /// Replaces `path` and everything below it with what was seen there, and adds to `changes` which
    /// files differ. `hinted` says whether an event named `path` itself.
    pub(crate) fn replace(
        &mut self,
        path: &Path,
        seen: BTreeMap<PathBuf, Entry>,
        hinted: bool,
        changes: &mut BTreeMap<PathBuf, ChangeKind>,
    ) {
        let mut before: BTreeMap<PathBuf, Entry> =
            self.below(path).map(|(path, entry)| (path.clone(), *entry)).collect();
        for old in before.keys() {
            self.entries.remove(old);
        }
        for (found, entry) in seen {
            let old = before.remove(&found);
            let became_other = old.is_some_and(|old| old.is_directory != entry.is_directory);
            let old = old.filter(|_| !became_other);
            if entry.is_directory {
                // A file that became a directory is gone as a file.
                if became_other {
                    record(changes, found.clone(), ChangeKind::Removed);
                }
            } else {
                let rewritten = hinted && found == path;
                let change = match old {
                    None => Some(ChangeKind::Created),
                    Some(old) if old.differs(&entry) || (rewritten && old.fresh) => Some(ChangeKind::Modified),
                    Some(_) => None,
                };
                if let Some(change) = change {
                    record(changes, found.clone(), change);
                }
            }
            self.entries.insert(found, entry);
        }
        for (gone, entry) in before {
            if !entry.is_directory {
                record(changes, gone, ChangeKind::Removed);
            }
        }
    }
}

/// One pass looks at a place once, but a file may be looked at twice by way of its directory.
fn record(changes: &mut BTreeMap<PathBuf, ChangeKind>, path: PathBuf, change: ChangeKind) {
    use ChangeKind::{Created, Modified, Removed};
    let merged = match (changes.get(&path), change) {
        (Some(Created), Removed) => {
            changes.remove(&path);
            return;
        }
        (Some(Created), _) => Created,
        (Some(Removed), Created) => Modified,
        (_, change) => change,
    };
    changes.insert(path, merged);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn file(inode: u64, time: u64) -> Entry {
        Entry {
            identity: Identity { device: 1, inode },
            is_directory: false,
            is_link: false,
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(time),
            length: 1,
            fresh: false,
        }
    }

    fn world(entries: &[(u8, u64, u64)]) -> BTreeMap<PathBuf, Entry> {
        entries
            .iter()
            .map(|(name, inode, time)| (PathBuf::from(format!("/r/{name}")), file(*inode, *time)))
            .collect()
    }

    #[test]
    fn a_rename_over_is_a_modification() {
        let mut snapshot = Snapshot::default();
        let mut changes = BTreeMap::new();
        snapshot.replace(Path::new("/r"), world(&[(1, 10, 5)]), false, &mut changes);
        changes.clear();
        snapshot.replace(Path::new("/r/1"), world(&[(1, 11, 5)]), true, &mut changes);
        assert_eq!(changes, BTreeMap::from([(PathBuf::from("/r/1"), ChangeKind::Modified)]));
    }

    #[test]
    fn a_file_seen_within_a_clock_tick_of_its_write_counts_as_modified_when_named() {
        let mut snapshot = Snapshot::default();
        let mut changes = BTreeMap::new();
        let mut seen = world(&[(1, 10, 5)]);
        if let Some(entry) = seen.values_mut().next() {
            entry.fresh = true;
        }
        snapshot.replace(Path::new("/r"), seen.clone(), false, &mut changes);
        changes.clear();
        snapshot.replace(Path::new("/r"), seen.clone(), false, &mut changes);
        assert_eq!(changes, BTreeMap::new());
        snapshot.replace(Path::new("/r/1"), seen, true, &mut changes);
        assert_eq!(changes.len(), 1);
    }

    #[test]
    fn a_file_that_becomes_a_folder_is_gone_and_the_other_way_round() {
        let path = Path::new("/r/1");
        let folder = BTreeMap::from([(
            path.to_path_buf(),
            Entry {
                is_directory: true,
                ..file(11, 5)
            },
        )]);
        let mut snapshot = Snapshot::default();
        let mut changes = BTreeMap::new();
        snapshot.replace(Path::new("/r"), world(&[(1, 10, 5)]), false, &mut changes);
        changes.clear();
        snapshot.replace(path, folder, true, &mut changes);
        assert_eq!(changes, BTreeMap::from([(path.to_path_buf(), ChangeKind::Removed)]));
        changes.clear();
        snapshot.replace(path, world(&[(1, 12, 5)]), true, &mut changes);
        assert_eq!(changes, BTreeMap::from([(path.to_path_buf(), ChangeKind::Created)]));
    }

    #[test]
    fn similar_names_are_not_below() {
        let mut snapshot = Snapshot::default();
        let mut changes = BTreeMap::new();
        let seen = ["/r/a", "/r/a/b", "/r/a.ts", "/r/ab"].map(|path| (PathBuf::from(path), file(1, 1)));
        snapshot.replace(Path::new("/r"), seen.into(), false, &mut changes);
        let below: Vec<_> = snapshot
            .below(Path::new("/r/a"))
            .map(|(path, _)| path.clone())
            .collect();
        assert_eq!(below, [PathBuf::from("/r/a"), PathBuf::from("/r/a/b")]);
    }

    proptest! {
        /// Whatever order the parts of a directory are looked at in, applying the reported changes to
        /// the old set of files gives the new one.
        #[test]
        fn changes_lead_from_the_old_set_to_the_new(
            old in prop::collection::vec((0_u8..12, 0_u64..4, 0_u64..3), 0..20),
            new in prop::collection::vec((0_u8..12, 0_u64..4, 0_u64..3), 0..20),
            looks in prop::collection::vec(0_u8..12, 0..20),
        ) {
            let (old, new) = (world(&old), world(&new));
            let mut snapshot = Snapshot::default();
            let mut changes = BTreeMap::new();
            snapshot.replace(Path::new("/r"), old.clone(), false, &mut changes);
            changes.clear();
            for name in looks {
                let path = PathBuf::from(format!("/r/{name}"));
                let seen = new.iter().filter(|(found, _)| **found == path).map(|(found, entry)| (found.clone(), *entry)).collect();
                snapshot.replace(&path, seen, true, &mut changes);
            }
            snapshot.replace(Path::new("/r"), new.clone(), true, &mut changes);
            for (path, change) in &changes {
                let expected = match (old.get(path), new.get(path)) {
                    (None, Some(_)) => ChangeKind::Created,
                    (Some(_), None) => ChangeKind::Removed,
                    (Some(before), Some(after)) => {
                        prop_assert!(before.differs(after));
                        ChangeKind::Modified
                    }
                    (None, None) => return Err(TestCaseError::fail("a change of nothing")),
                };
                prop_assert_eq!(*change, expected);
            }
            for (path, entry) in &new {
                let unchanged = old.get(path).is_some_and(|before| !before.differs(entry));
                prop_assert_eq!(changes.contains_key(path), !unchanged);
            }
            prop_assert_eq!(snapshot.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), new.keys().cloned().collect::<Vec<_>>());
        }
    }
}
