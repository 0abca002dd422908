//! What the state folder remembers of the region that the app was pinned to when it last served.
//!
//! A change of the declaration strands data, here as in production: each region keeps its folder, and only the one that
//! is declared is looked into. So a change is told, with what stays behind.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lunora_diagnostics::{Diagnostic, codes};
use serde::{Deserialize, Serialize};

use crate::config::unpinned_key;
use crate::event::WorkerdEvent;
use crate::storage_folders::StorageFolders;

const FILE: &str = "region.json";

/// The file's content.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    jurisdiction: Option<String>,
}

/// The region that served last, and what is to be said when another one does.
#[derive(Debug)]
pub(crate) struct RegionMemory {
    file: PathBuf,
    folders: StorageFolders,
    last: Option<String>,
    /// Something that was wrong with the file, told with the first region.
    complaint: Option<Diagnostic>,
    has_served: bool,
}

impl RegionMemory {
    /// Reads what is remembered; an app that never declared a jurisdiction has no file.
    pub(crate) fn open(state: &Path) -> Self {
        let file = state.join(FILE);
        let (remembered, complaint) = match fs::read(&file) {
            Ok(text) => match serde_json::from_slice::<Remembered>(&text) {
                Ok(remembered) => (remembered, None),
                Err(error) => (Remembered::default(), Some(unreadable(&file, &error.to_string()))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Remembered::default(), None),
            Err(error) => (Remembered::default(), Some(unreadable(&file, &error.to_string()))),
        };
        Self {
            folders: StorageFolders::below(state),
            file,
            last: remembered.jurisdiction,
            complaint,
            has_served: false,
        }
    }

    /// A worker pinned to `jurisdiction` serves: what there is to say about that. Nothing, mostly.
    pub(crate) fn serves(&mut self, jurisdiction: Option<&str>) -> Vec<WorkerdEvent> {
        let has_changed = self.last.as_deref() != jurisdiction;
        let is_first = !std::mem::replace(&mut self.has_served, true);
        let mut events: Vec<WorkerdEvent> = self
            .complaint
            .take()
            .map(WorkerdEvent::Diagnostic)
            .into_iter()
            .collect();
        if has_changed || (is_first && jurisdiction.is_some()) {
            events.push(WorkerdEvent::Region {
                jurisdiction: jurisdiction.map(str::to_owned),
                storage: self.folders.of(jurisdiction),
            });
        }
        if has_changed {
            events.extend(self.left_behind(jurisdiction).map(WorkerdEvent::Diagnostic));
            self.last = jurisdiction.map(str::to_owned);
            events.extend(self.write().err().map(WorkerdEvent::Diagnostic));
        }
        events
    }

    fn left_behind(&self, jurisdiction: Option<&str>) -> Option<Diagnostic> {
        let folder = self.folders.of(self.last.as_deref());
        let objects = objects_in(&folder, self.last.as_deref());
        let total: usize = objects.values().sum();
        if total == 0 {
            return None;
        }
        let classes: Vec<String> = objects
            .iter()
            .map(|(class, count)| format!("`{class}` {count}"))
            .collect();
        let message = format!(
            "The jurisdiction changed from {} to {}: {total} {} ({}) in `{}` cannot be reached any more. Production would strand them the same way.",
            shown(self.last.as_deref()),
            shown(jurisdiction),
            if total == 1 { "object" } else { "objects" },
            classes.join(", "),
            folder.display()
        );
        Some(Diagnostic::warning(codes::JURISDICTION_CHANGED, message).with_help(
            "Nothing is deleted: take the change back to see the data again. To move it, take the change back, run `lunora export`, change the declaration, then run `lunora import`.",
        ))
    }

    fn write(&self) -> Result<(), Diagnostic> {
        let remembered = Remembered {
            jurisdiction: self.last.clone(),
        };
        // Written beside and renamed: a full disk leaves no half of it.
        let draft = self.file.with_extension("json.new");
        serde_json::to_vec(&remembered)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&draft, text))
            .and_then(|()| fs::rename(&draft, &self.file))
            .map_err(|error| {
                let message = format!("`{}` cannot be written: {error}.", self.file.display());
                Diagnostic::warning(codes::STATE_UNUSABLE, message)
                    .with_help("The next start will not know which region was declared before.")
            })
    }
}

fn shown(jurisdiction: Option<&str>) -> String {
    jurisdiction.map_or_else(|| "(none)".to_owned(), |name| format!("`{name}`"))
}

fn unreadable(file: &Path, why: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::STATE_CORRUPT,
        format!(
            "`{}` cannot be understood: {why}. No data depends on it.",
            file.display()
        ),
    )
    .with_help("It is written anew when the declared jurisdiction changes.")
}

/// How many objects of each class have data: one file is one object, its name is the object's id.
fn objects_in(folder: &Path, jurisdiction: Option<&str>) -> BTreeMap<String, usize> {
    let mut objects = BTreeMap::new();
    // What cannot be listed cannot be counted; the count is only told.
    for class in fs::read_dir(folder).into_iter().flatten().flatten() {
        let count = fs::read_dir(class.path())
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| is_object(&entry.path()))
            .count();
        if count > 0 {
            let name = class.file_name().to_string_lossy().into_owned();
            objects.insert(unpinned_key(&name, jurisdiction).to_owned(), count);
        }
    }
    objects
}

fn is_object(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    file.extension().is_some_and(|extension| extension == "sqlite")
        && stem.len() == 64
        && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn put_object(state: &Path, region: &str, number: usize) {
        let folder = state.join(region).join("do/ShardDO");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number:064x}.sqlite")), "").unwrap();
        fs::write(folder.join(format!("{number:064x}.sqlite-wal")), "").unwrap();
        fs::write(folder.join("metadata.sqlite"), "").unwrap();
    }

    /// `region eu`, or the code of a diagnostic.
    fn said(events: &[WorkerdEvent]) -> Vec<String> {
        events
            .iter()
            .map(|event| match event {
                WorkerdEvent::Region { jurisdiction, .. } => format!("region {}", shown(jurisdiction.as_deref())),
                WorkerdEvent::Diagnostic(diagnostic) => diagnostic.code.as_str().to_owned(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn an_app_without_a_jurisdiction_hears_nothing_and_leaves_no_file() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(RegionMemory::open(root.path()).serves(None), []);
        assert!(!root.path().join(FILE).exists());
    }

    #[test]
    fn a_region_is_told_at_the_start_and_on_a_change_and_not_otherwise() {
        let root = tempfile::tempdir().unwrap();
        put_object(root.path(), "none", 1);
        put_object(root.path(), "none", 2);
        let mut memory = RegionMemory::open(root.path());
        assert_eq!(memory.serves(None), []);
        let events = memory.serves(Some("eu"));
        assert_eq!(said(&events), ["region `eu`", "JURISDICTION_CHANGED"]);
        let WorkerdEvent::Diagnostic(warning) = &events[1] else {
            panic!("checked above")
        };
        assert!(
            warning.message.contains("from (none) to `eu`: 2 objects (`ShardDO` 2)"),
            "{}",
            warning.message
        );
        assert_eq!(memory.serves(Some("eu")), []);
        // Nothing was stored in `eu`.
        assert_eq!(said(&memory.serves(Some("us"))), ["region `us`"]);
        let mut memory = RegionMemory::open(root.path());
        assert_eq!(said(&memory.serves(Some("us"))), ["region `us`"]);
        put_object(root.path(), "us", 1);
        assert_eq!(
            said(&RegionMemory::open(root.path()).serves(None)),
            ["region (none)", "JURISDICTION_CHANGED"]
        );
    }

    #[test]
    fn a_file_that_is_not_ours_is_told_and_mended_by_the_next_change() {
        let root = tempfile::tempdir().unwrap();
        for text in ["", "{", "[]", "{\"jurisdiction\":5}"] {
            fs::write(root.path().join(FILE), text).unwrap();
            let mut memory = RegionMemory::open(root.path());
            assert_eq!(
                said(&memory.serves(Some("eu"))),
                ["STATE_CORRUPT", "region `eu`"],
                "{text:?}"
            );
            assert_eq!(
                said(&RegionMemory::open(root.path()).serves(Some("eu"))),
                ["region `eu`"]
            );
        }
    }
}
