//! Putting generated files on the disk.

use std::borrow::Cow;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use lunora_config::{FileAction, FileSet, file_diagnostic};
use lunora_diagnostics::Diagnostic;
use rustc_hash::FxHashMap;

use crate::GeneratedFile;
use crate::generated_file::MARK;

/// What a write did, by file name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Files that were created or replaced.
    pub written: Vec<String>,
    /// Files that had the right bytes and were not touched.
    pub unchanged: Vec<String>,
    /// Files of an earlier generation that are not generated any more.
    pub removed: Vec<String>,
}

/// Writes generated files to one folder, again and again.
///
/// All of a set change together or, when anything fails, none. A file with the right bytes keeps its
/// modification time. Whether it has them is known without reading it as long as its size, time and
/// identity are those of the last write, so that a file somebody edited or deleted is mended.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    known: FxHashMap<Cow<'static, str>, Known>,
}

/// A file as it was left.
#[derive(Debug)]
struct Known {
    contents: Arc<str>,
    stamp: Stamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    identity: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let identity = 0;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            identity,
        }
    }
}

/// Writes a set of files once, comparing it with what is there byte by byte.
///
/// # Errors
/// Those of [`Writer::write`].
pub fn write_generated(folder: &Path, files: &[GeneratedFile]) -> Result<WriteReport, Diagnostic> {
    Writer::new(folder).write(files)
}

impl Writer {
    /// A writer for a folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            known: FxHashMap::default(),
        }
    }

    /// Brings the folder up to date.
    ///
    /// # Errors
    /// When the disk is full, the folder cannot be written or is a file, or a folder stands in the
    /// place of a file. The old set is then as it was.
    pub fn write(&mut self, files: &[GeneratedFile]) -> Result<WriteReport, Diagnostic> {
        let mut report = WriteReport::default();
        let mut set = FileSet::new(&self.folder);
        let stale = stale_files(&self.folder, files)?;
        for file in files {
            if self.is_up_to_date(file)? {
                report.unchanged.push(file.path.to_string());
            } else {
                set = set.write(&file.path, file.contents.as_bytes());
                report.written.push(file.path.to_string());
            }
        }
        for name in &stale {
            self.known.remove(name.as_str());
            set = set.remove(name);
        }
        set.commit()?;
        for file in files {
            self.remember(file);
        }
        report.removed = stale;
        Ok(report)
    }

    fn is_up_to_date(&self, file: &GeneratedFile) -> Result<bool, Diagnostic> {
        let path = self.folder.join(&*file.path);
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if is_absent(error.kind()) => return Ok(false),
            Err(error) => return Err(file_diagnostic(FileAction::Read, &path, &error)),
        };
        if metadata.len() != file.contents.len() as u64 || !metadata.is_file() {
            return Ok(false);
        }
        if let Some(known) = self.known.get(&file.path)
            && known.stamp == Stamp::of(&metadata)
        {
            return Ok(Arc::ptr_eq(&known.contents, &file.contents) || known.contents == file.contents);
        }
        match std::fs::read(&path) {
            Ok(bytes) => Ok(bytes == file.contents.as_bytes()),
            Err(error) if is_absent(error.kind()) => Ok(false),
            Err(error) => Err(file_diagnostic(FileAction::Read, &path, &error)),
        }
    }

    fn remember(&mut self, file: &GeneratedFile) {
        match self.folder.join(&*file.path).symlink_metadata() {
            Ok(metadata) => {
                let known = Known {
                    contents: Arc::clone(&file.contents),
                    stamp: Stamp::of(&metadata),
                };
                self.known.insert(file.path.clone(), known);
            }
            // Somebody was quicker; the next write compares the bytes.
            Err(_) => {
                self.known.remove(&file.path);
            }
        }
    }
}

/// Names of the files in the folder that were generated once and are not any more. Files that do not
/// say that they are generated are somebody's own.
pub(crate) fn stale_files(folder: &Path, files: &[GeneratedFile]) -> Result<Vec<String>, Diagnostic> {
    let failed = |error| file_diagnostic(FileAction::Read, folder, &error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(error.kind()) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut stale = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Names that are not Unicode are not ours.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_wanted = files.iter().any(|file| file.path == name);
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && !is_wanted && is_generated(&entry.path()) {
            stale.push(name);
        }
    }
    stale.sort();
    Ok(stale)
}

/// Looks at the start of a file only. What cannot be read is left alone.
fn is_generated(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains(MARK)
}

/// Absent, or below a file: the write itself finds out and says so.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, SystemTime};

    use lunora_diagnostics::codes;
    use lunora_testing::{SmallDisk, TempProject, unprivileged, with_limited_file_size};

    use super::{WriteReport, Writer, write_generated};
    use crate::GeneratedFile;
    use crate::generated_file::HEADER;

    fn files(version: &str) -> Vec<GeneratedFile> {
        ["api.ts", "server.ts", "worker.ts"]
            .map(|path| GeneratedFile {
                path: path.into(),
                contents: format!("{HEADER}// {path} {version}\n").into(),
            })
            .to_vec()
    }

    fn written(report: &WriteReport) -> Vec<&str> {
        report.written.iter().map(String::as_str).collect()
    }

    /// A time far from now, so that any later write shows.
    fn age(project: &TempProject, name: &str) -> SystemTime {
        let time = SystemTime::now() - Duration::from_secs(1_000);
        let file = std::fs::File::options().write(true).open(project.path(name)).unwrap();
        file.set_modified(time).unwrap();
        project.path(name).metadata().unwrap().modified().unwrap()
    }

    fn modified(project: &TempProject, name: &str) -> SystemTime {
        project.path(name).metadata().unwrap().modified().unwrap()
    }

    #[test]
    fn only_changed_files_are_touched() {
        let project = TempProject::new([]);
        assert_eq!(written(&write_generated(project.root(), &files("1")).unwrap()).len(), 3);
        let times = ["api.ts", "server.ts", "worker.ts"].map(|name| age(&project, name));
        let mut next = files("1");
        next[1] = files("2").remove(1);
        let report = write_generated(project.root(), &next).unwrap();
        assert_eq!(written(&report), ["server.ts"]);
        assert_eq!(report.unchanged, ["api.ts", "worker.ts"]);
        assert_eq!(modified(&project, "api.ts"), times[0]);
        assert_ne!(modified(&project, "server.ts"), times[1]);
        assert_eq!(modified(&project, "worker.ts"), times[2]);
        assert_eq!(project.files(), ["api.ts", "server.ts", "worker.ts"]);
    }

    #[test]
    fn what_somebody_edits_or_deletes_is_mended() {
        let project = TempProject::new([]);
        let mut writer = Writer::new(project.root());
        let set = files("1");
        writer.write(&set).unwrap();
        assert!(writer.write(&set).unwrap().written.is_empty());
        let same_length = project.read("api.ts").replace('1', "7");
        project.write("api.ts", &same_length);
        age(&project, "api.ts");
        project.remove("worker.ts");
        assert_eq!(written(&writer.write(&set).unwrap()), ["api.ts", "worker.ts"]);
        assert_eq!(project.read("api.ts"), &*set[0].contents);
        // Touched, but the same bytes.
        age(&project, "server.ts");
        assert!(writer.write(&set).unwrap().written.is_empty());
    }

    #[test]
    fn of_what_is_left_over_only_our_own_goes() {
        let project = TempProject::new([
            ("old.ts", "// Generated by Lunora. Do not edit.\n"),
            (
                "old.json",
                "{\n  \"x-generated\": \"Generated by Lunora. Do not edit.\"\n}",
            ),
            ("mine.ts", "export {};\n"),
            ("below/old.ts", "// Generated by Lunora. Do not edit.\n"),
        ]);
        let report = write_generated(project.root(), &files("1")).unwrap();
        assert_eq!(report.removed, ["old.json", "old.ts"]);
        assert_eq!(
            project.files(),
            ["api.ts", "below/old.ts", "mine.ts", "server.ts", "worker.ts"]
        );
    }

    #[test]
    fn a_folder_in_the_place_of_a_file() {
        let project = TempProject::new([]);
        write_generated(project.root(), &files("1")).unwrap();
        project.remove("worker.ts");
        project.write("worker.ts/inside", "");
        let diagnostic = write_generated(project.root(), &files("2")).unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_FILE);
        assert!(diagnostic.help.is_some());
        assert_eq!(project.read("api.ts"), &*files("1")[0].contents);
        assert_eq!(project.files(), ["api.ts", "server.ts", "worker.ts/inside"]);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder() {
        let project = TempProject::new([("lunora/_generated", "oops")]);
        for folder in ["lunora/_generated", "lunora/_generated/below"] {
            let diagnostic = write_generated(&project.path(folder), &files("1")).unwrap_err();
            assert_eq!(diagnostic.code, codes::PATH_NOT_A_DIRECTORY);
        }
        assert_eq!(project.read("lunora/_generated"), "oops");
    }

    #[test]
    fn a_full_disk_leaves_the_old_set() {
        SmallDisk::with(131_072, "writer::tests::a_full_disk_leaves_the_old_set", |disk| {
            let folder = disk.path().join("_generated");
            let mut writer = Writer::new(&folder);
            writer.write(&files("1")).unwrap();
            let full = disk.fill();
            let mut larger = files("2");
            larger[2].contents = format!("{HEADER}{}", "x".repeat(100_000)).into();
            let diagnostic = writer.write(&larger).unwrap_err();
            assert_eq!(diagnostic.code, codes::DISK_FULL);
            assert!(diagnostic.help.is_some());
            for file in files("1") {
                assert_eq!(
                    std::fs::read_to_string(folder.join(&*file.path)).unwrap(),
                    &*file.contents
                );
            }
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
            drop(full);
            assert_eq!(writer.write(&files("2")).unwrap().written.len(), 3);
        });
    }

    #[test]
    fn a_quota_leaves_the_old_set() {
        with_limited_file_size(16, "writer::tests::a_quota_leaves_the_old_set", || {
            let project = TempProject::new([]);
            write_generated(project.root(), &files("1")).unwrap();
            let mut larger = files("2");
            larger[2].contents = format!("{HEADER}{}", "x".repeat(100_000)).into();
            let diagnostic = write_generated(project.root(), &larger).unwrap_err();
            assert_eq!(diagnostic.code, codes::DISK_FULL);
            for file in files("1") {
                assert_eq!(project.read(&file.path), &*file.contents);
            }
            assert_eq!(project.files().len(), 3);
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_folder_leaves_the_old_set() {
        use std::os::unix::fs::PermissionsExt as _;
        unprivileged("writer::tests::a_read_only_folder_leaves_the_old_set", || {
            let project = TempProject::new([]);
            let folder = project.path("_generated");
            write_generated(&folder, &files("1")).unwrap();
            let mode = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
            mode(0o555);
            // Nothing to do is no error.
            assert!(write_generated(&folder, &files("1")).unwrap().written.is_empty());
            let diagnostic = write_generated(&folder, &files("2")).unwrap_err();
            assert_eq!(diagnostic.code, codes::PATH_READ_ONLY);
            assert!(diagnostic.help.is_some());
            let new_folder = write_generated(&folder.join("new"), &files("2")).unwrap_err();
            assert_eq!(new_folder.code, codes::PATH_READ_ONLY);
            mode(0o755);
            assert_eq!(project.read("_generated/api.ts"), &*files("1")[0].contents);
            assert_eq!(project.files().len(), 3);
        });
    }
}
