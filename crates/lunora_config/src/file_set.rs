//! Several files of one folder, replaced together.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lunora_diagnostics::Diagnostic;

use crate::file_error::{FileAction, file_diagnostic, not_a_directory, not_a_file};

/// Staging folders are named so; a killed process may leave one behind.
const STAGING_PREFIX: &str = ".staging-";

/// A staging folder older than this belongs to no living process.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

/// Files of one folder that change together or not at all.
///
/// Everything is written to a staging folder inside the target folder first, so that a full disk or
/// a missing permission shows before anything is touched. Then each file is renamed into place. When
/// a rename fails, the ones before it are undone from hard links to the old files, which needs no
/// free space. The set is not flushed to the disk: it is meant for files that can be made again.
#[derive(Debug)]
pub struct FileSet<'a> {
    folder: &'a Path,
    changes: Vec<FileChange<'a>>,
}

#[derive(Debug)]
struct FileChange<'a> {
    name: &'a str,
    /// `None` removes the file.
    contents: Option<&'a [u8]>,
}

/// A change on its way.
struct Staged {
    target: PathBuf,
    /// The new file in the staging folder; `None` removes.
    fresh: Option<PathBuf>,
    /// The old file, kept until the whole set is in place.
    backup: Option<PathBuf>,
}

impl<'a> FileSet<'a> {
    /// An empty set for a folder, which need not exist yet.
    #[must_use]
    pub const fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            changes: Vec::new(),
        }
    }

    /// Adds a file to create or replace.
    #[must_use]
    pub fn write(mut self, name: &'a str, contents: &'a [u8]) -> Self {
        self.changes.push(FileChange {
            name,
            contents: Some(contents),
        });
        self
    }

    /// Adds a file to remove.
    #[must_use]
    pub fn remove(mut self, name: &'a str) -> Self {
        self.changes.push(FileChange { name, contents: None });
        self
    }

    /// Makes all the changes.
    ///
    /// # Errors
    /// When the folder cannot be made or written, the disk is full, or a folder stands where a file
    /// belongs. All files are then as they were.
    pub fn commit(self) -> Result<(), Diagnostic> {
        self.commit_observed(|_| {})
    }

    /// `before_rename` is called with the target of each rename, so that a test can break it.
    fn commit_observed(self, mut before_rename: impl FnMut(&Path)) -> Result<(), Diagnostic> {
        if self.changes.is_empty() {
            return Ok(());
        }
        self.create_folder()?;
        remove_abandoned(self.folder);
        let staging = tempfile::Builder::new()
            .prefix(STAGING_PREFIX)
            .tempdir_in(self.folder)
            .map_err(|error| file_diagnostic(FileAction::Write, self.folder, &error))?;
        let staged = self.stage(staging.path())?;
        for (position, change) in staged.iter().enumerate() {
            before_rename(&change.target);
            if let Err(error) = change.apply() {
                let diagnostic = change.failed(&error);
                return Err(match undo(&staged[..position]) {
                    Ok(()) => diagnostic,
                    Err(path) => {
                        // The old files are worth more than a tidy folder.
                        let kept = staging.keep();
                        still_changed(diagnostic, &path, &kept)
                    }
                });
            }
        }
        Ok(())
    }

    fn create_folder(&self) -> Result<(), Diagnostic> {
        match std::fs::create_dir_all(self.folder) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(not_a_directory(self.folder)),
            Err(error) => Err(file_diagnostic(FileAction::CreateDirectory, self.folder, &error)),
        }
    }

    fn stage(&self, staging: &Path) -> Result<Vec<Staged>, Diagnostic> {
        let mut staged = Vec::with_capacity(self.changes.len());
        for (position, change) in self.changes.iter().enumerate() {
            let target = self.folder.join(change.name);
            let old = match target.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => return Err(not_a_file(&target)),
                Ok(metadata) => Some(metadata),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(file_diagnostic(FileAction::Read, &target, &error)),
            };
            let failed = |error: &Error| file_diagnostic(FileAction::Write, &target, error);
            let fresh = match change.contents {
                None if old.is_none() => continue,
                None => None,
                Some(contents) => {
                    let fresh = staging.join(format!("{position}.new"));
                    std::fs::write(&fresh, contents).map_err(|error| failed(&error))?;
                    if let Some(old) = old.as_ref().filter(|old| old.is_file()) {
                        std::fs::set_permissions(&fresh, old.permissions()).map_err(|error| failed(&error))?;
                    }
                    Some(fresh)
                }
            };
            let backup = old.is_some().then(|| staging.join(format!("{position}.old")));
            if let Some(backup) = &backup {
                keep(&target, backup).map_err(|error| failed(&error))?;
            }
            staged.push(Staged { target, fresh, backup });
        }
        Ok(staged)
    }
}

impl Staged {
    fn apply(&self) -> std::io::Result<()> {
        match &self.fresh {
            Some(fresh) => std::fs::rename(fresh, &self.target),
            None => std::fs::remove_file(&self.target),
        }
    }

    fn failed(&self, error: &Error) -> Diagnostic {
        if self.target.is_dir() {
            return not_a_file(&self.target);
        }
        let action = match self.fresh {
            Some(_) => FileAction::Write,
            None => FileAction::Remove,
        };
        file_diagnostic(action, &self.target, error)
    }
}

/// A second name for the old file, or a copy where the file system has no hard links.
fn keep(target: &Path, backup: &Path) -> std::io::Result<()> {
    std::fs::hard_link(target, backup).or_else(|_| std::fs::copy(target, backup).map(|_| ()))
}

/// Puts the old files back, the last first; the path is the first that could not be.
fn undo(applied: &[Staged]) -> Result<(), PathBuf> {
    let mut first_failure = None;
    for change in applied.iter().rev() {
        let undone = match &change.backup {
            Some(backup) => std::fs::rename(backup, &change.target),
            None => std::fs::remove_file(&change.target),
        };
        if undone.is_err() {
            first_failure.get_or_insert_with(|| change.target.clone());
        }
    }
    first_failure.map_or(Ok(()), Err)
}

fn still_changed(mut diagnostic: Diagnostic, path: &Path, staging: &Path) -> Diagnostic {
    diagnostic.message.push_str(&format!(
        ". `{}` was replaced before and could not be put back; the old files are in `{}`",
        path.display(),
        staging.display()
    ));
    diagnostic
}

/// Best effort: what cannot be removed now is tried again at the next write and hurts nobody.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(STAGING_PREFIX));
        let abandoned = || {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER))
        };
        if ours && abandoned() {
            let _removed = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, SystemTime};

    use lunora_diagnostics::codes;
    use lunora_testing::TempProject;

    use super::FileSet;

    fn three<'a>(folder: &'a std::path::Path) -> FileSet<'a> {
        FileSet::new(folder)
            .write("a.ts", b"new a")
            .write("b.ts", b"new b")
            .remove("gone.ts")
            .write("c.ts", b"new c")
    }

    #[test]
    fn replaces_creates_and_removes() {
        let project = TempProject::new([("out/a.ts", "old a"), ("out/gone.ts", "old")]);
        three(&project.path("out")).commit().unwrap();
        assert_eq!(project.files(), ["out/a.ts", "out/b.ts", "out/c.ts"]);
        assert_eq!(project.read("out/a.ts"), "new a");
    }

    #[test]
    fn makes_the_folder() {
        let project = TempProject::new([]);
        three(&project.path("deep/er")).commit().unwrap();
        assert_eq!(project.files().len(), 3);
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_stops_before_anything_changes() {
        let project = TempProject::new([("a.ts", "old a"), ("c.ts/inside", "")]);
        let diagnostic = three(project.root()).commit().unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_FILE);
        assert_eq!(project.files(), ["a.ts", "c.ts/inside"]);
        assert_eq!(project.read("a.ts"), "old a");
    }

    #[test]
    fn a_failure_after_some_renames_is_undone() {
        for broken in ["a.ts", "b.ts", "gone.ts", "c.ts"] {
            let project = TempProject::new([("a.ts", "old a"), ("gone.ts", "old gone")]);
            let diagnostic = three(project.root())
                .commit_observed(|target| {
                    if target.ends_with(broken) {
                        // Somebody puts a folder there between the look and the rename.
                        let _absent = std::fs::remove_file(target);
                        std::fs::create_dir(target).unwrap();
                        std::fs::write(target.join("inside"), "").unwrap();
                    }
                })
                .unwrap_err();
            assert_eq!(diagnostic.code, codes::PATH_NOT_A_FILE, "{broken}");
            let mut expected = vec!["a.ts".to_owned(), "gone.ts".to_owned()];
            expected.retain(|name| name != broken);
            expected.push(format!("{broken}/inside"));
            expected.sort();
            assert_eq!(project.files(), expected);
            if broken != "a.ts" {
                assert_eq!(project.read("a.ts"), "old a");
            }
            if broken != "gone.ts" {
                assert_eq!(project.read("gone.ts"), "old gone");
            }
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder() {
        let project = TempProject::new([("out", "a file")]);
        let diagnostic = three(&project.path("out")).commit().unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_DIRECTORY);
        let diagnostic = three(&project.path("out/below")).commit().unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_DIRECTORY);
        assert_eq!(project.read("out"), "a file");
    }

    #[test]
    fn only_old_staging_folders_are_swept() {
        let project = TempProject::new([
            (".staging-old/0.new", "left behind"),
            (".staging-new/0.new", "somebody is writing"),
        ]);
        let old = std::fs::File::open(project.path(".staging-old")).unwrap();
        old.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
        three(project.root()).commit().unwrap();
        assert_eq!(project.files(), [".staging-new/0.new", "a.ts", "b.ts", "c.ts"]);
    }
}
