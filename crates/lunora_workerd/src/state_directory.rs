//! The folder that holds an app's data between runs, and the lock that keeps a second process out:
//! workerd locks nothing, and two of them on one folder interleave their writes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lunora_diagnostics::{Diagnostic, codes};
use serde::{Deserialize, Serialize};

use crate::storage_folders::StorageFolders;

const LOCK_FILE: &str = "lock";
const LAYOUT_FILE: &str = "layout.json";
const LAYOUT_VERSION: u64 = 1;

/// Written into the lock file, so that whoever is kept out can say by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockHolder {
    pub process_id: u32,
    /// Unix milliseconds.
    pub started_at: u64,
    pub command: String,
    /// Where it serves; absent until it does.
    pub url: Option<String>,
}

/// What the folder looks like inside, for versions to come.
#[derive(Debug, Serialize, Deserialize)]
struct Layout {
    version: u64,
}

/// An app's state folder, held exclusively until dropped.
#[derive(Debug)]
pub(crate) struct StateDirectory {
    path: PathBuf,
    lock: File,
    holder: LockHolder,
}

impl StateDirectory {
    /// Creates the folder when it is missing and locks it.
    pub(crate) fn open(path: &Path, command: &str, now: SystemTime) -> Result<Self, Diagnostic> {
        fs::create_dir_all(path).map_err(|error| unusable(path, "created", &error))?;
        let path = path.canonicalize().map_err(|error| unusable(path, "opened", &error))?;
        let lock_path = path.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| unusable(&lock_path, "opened", &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(&path, &mut lock, now)),
            Err(TryLockError::Error(error)) => return Err(unusable(&lock_path, "locked", &error)),
        }
        let mut directory = Self {
            holder: LockHolder {
                process_id: std::process::id(),
                started_at: unix_milliseconds(now),
                command: command.to_owned(),
                url: None,
            },
            path,
            lock,
        };
        directory.write_holder()?;
        check_layout(&directory.path)?;
        Ok(directory)
    }

    /// The folder itself, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the Durable Objects keep their data, with the folders of these jurisdictions and of what nothing pins made.
    pub(crate) fn storage(&self, jurisdictions: &[String]) -> Result<StorageFolders, Diagnostic> {
        let folders = StorageFolders::below(&self.path);
        let regions = std::iter::once(None).chain(jurisdictions.iter().map(|name| Some(name.as_str())));
        for path in regions.map(|region| folders.of(region)) {
            fs::create_dir_all(&path).map_err(|error| unusable(&path, "created", &error))?;
        }
        Ok(folders)
    }

    /// Adds the address to what the lock file says of us.
    pub(crate) fn set_url(&mut self, url: &str) -> Result<(), Diagnostic> {
        self.holder.url = Some(url.to_owned());
        self.write_holder()
    }

    fn write_holder(&mut self) -> Result<(), Diagnostic> {
        let write = |file: &mut File, holder: &LockHolder| -> io::Result<()> {
            let mut text = serde_json::to_vec(holder)?;
            text.push(b'\n');
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&text)
        };
        write(&mut self.lock, &self.holder).map_err(|error| unusable(&self.path.join(LOCK_FILE), "written", &error))
    }
}

/// Where the process that holds the state folder serves; `None` when nobody does, or nobody serves yet.
#[must_use]
pub fn running_url(state: &Path) -> Option<String> {
    let mut lock = File::open(state.join(LOCK_FILE)).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        // What a process that is gone has written leads nowhere.
        _ => return None,
    }
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    serde_json::from_str::<LockHolder>(&text).ok()?.url
}

fn check_layout(path: &Path) -> Result<(), Diagnostic> {
    let file = path.join(LAYOUT_FILE);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!("{{\"version\":{LAYOUT_VERSION}}}\n");
            // Written beside and renamed: a full disk leaves no half of it.
            let draft = path.join(format!("{LAYOUT_FILE}.new"));
            return fs::write(&draft, text)
                .and_then(|()| fs::rename(&draft, &file))
                .map_err(|error| unusable(&file, "written", &error));
        }
        Err(error) => return Err(unusable(&file, "read", &error)),
    };
    match serde_json::from_slice::<Layout>(&text) {
        Ok(layout) if layout.version == LAYOUT_VERSION => Ok(()),
        Ok(layout) => Err(Diagnostic::error(
            codes::STATE_CORRUPT,
            format!(
                "`{}` says that the data has layout `{}`, but this version reads layout `{LAYOUT_VERSION}`.",
                file.display(),
                layout.version
            ),
        )
        .with_help("Use the version of Lunora that wrote the data, or another state folder.")),
        Err(error) => Err(Diagnostic::error(
            codes::STATE_CORRUPT,
            format!("`{}` cannot be understood: {error}.", file.display()),
        )
        .with_help(format!(
            "If the data was written by this version, write `{{\"version\":{LAYOUT_VERSION}}}` into it or delete it; the data itself is untouched."
        ))),
    }
}

fn locked(path: &Path, lock: &mut File, now: SystemTime) -> Diagnostic {
    let mut text = String::new();
    let holder = lock
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str::<LockHolder>(&text).ok());
    let who = holder.as_ref().map_or_else(
        || "another process, which has not said yet which one it is".to_owned(),
        |holder| {
            let seconds = unix_milliseconds(now).saturating_sub(holder.started_at) / 1000;
            let place = holder
                .url
                .as_ref()
                .map_or_else(String::new, |url| format!(", serving {url}"));
            format!(
                "`{}` (process {}, started {} ago{place})",
                holder.command,
                holder.process_id,
                duration_text(seconds)
            )
        },
    );
    let help = holder.map_or_else(
        || "Stop the other process, or use another state folder.".to_owned(),
        |holder| format!("Stop it (`kill {}`), or use another state folder.", holder.process_id),
    );
    Diagnostic::error(codes::STATE_LOCKED, format!("`{}` is in use by {who}.", path.display())).with_help(help)
}

fn duration_text(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

fn unusable(path: &Path, verb: &str, error: &io::Error) -> Diagnostic {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Free some disk space.",
        io::ErrorKind::ReadOnlyFilesystem => "Choose a state folder on a writable file system.",
        io::ErrorKind::PermissionDenied => "Give this user the right to write there, or choose another state folder.",
        _ => "Choose another state folder.",
    };
    Diagnostic::error(
        codes::STATE_UNUSABLE,
        format!("`{}` cannot be {verb}: {error}.", path.display()),
    )
    .with_help(help)
}

fn unix_milliseconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("a/b/state");
        let mut first = StateDirectory::open(&state, "vite dev", SystemTime::now()).unwrap();
        first.set_url("http://127.0.0.1:4000").unwrap();
        let refused = StateDirectory::open(&state, "vite dev", SystemTime::now()).unwrap_err();
        assert_eq!(refused.code, codes::STATE_LOCKED);
        for part in ["vite dev", "http://127.0.0.1:4000", &std::process::id().to_string()] {
            assert!(refused.message.contains(part), "{part} in {}", refused.message);
        }
        drop(first);
        StateDirectory::open(&state, "vite dev", SystemTime::now()).unwrap();
    }

    #[test]
    fn what_a_dead_holder_left_behind_is_overwritten() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(LOCK_FILE), "x".repeat(10_000)).unwrap();
        let _held = StateDirectory::open(root.path(), "lunora dev", SystemTime::now()).unwrap();
        let text = fs::read_to_string(root.path().join(LOCK_FILE)).unwrap();
        let holder: LockHolder = serde_json::from_str(&text).unwrap();
        assert_eq!(holder.process_id, std::process::id());
    }

    #[test]
    fn a_layout_file_that_is_not_ours_is_refused_and_kept() {
        let root = tempfile::tempdir().unwrap();
        for text in ["", "{", "\0\0\0", "[]", "{\"version\":2}", "{\"version\":\"1\"}"] {
            fs::write(root.path().join(LAYOUT_FILE), text).unwrap();
            let refused = StateDirectory::open(root.path(), "", SystemTime::now()).unwrap_err();
            assert_eq!(refused.code, codes::STATE_CORRUPT, "{text:?}");
            assert_eq!(fs::read_to_string(root.path().join(LAYOUT_FILE)).unwrap(), text);
        }
        fs::remove_file(root.path().join(LAYOUT_FILE)).unwrap();
        StateDirectory::open(root.path(), "", SystemTime::now()).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_coded() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let refused = StateDirectory::open(&root.path().join("file/state"), "", SystemTime::now()).unwrap_err();
        assert_eq!(refused.code, codes::STATE_UNUSABLE);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_coded() {
        let error = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .and_then(|mut file| file.write_all(b"x"))
            .unwrap_err();
        let diagnostic = unusable(Path::new("state"), "written", &error);
        assert_eq!(diagnostic.help.as_deref(), Some("Free some disk space."));
    }
}
