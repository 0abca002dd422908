//! Which directories the operating system is asked about.
//!
//! On Linux one watch per directory that counts, placed here and not by notify's recursive mode, for
//! two reasons: ignored directories (`node_modules`) cost no watches, and a directory is read only
//! *after* it is watched, so that nothing created in between is missed. inotify watches objects, not
//! paths: a directory reached by two paths has one watch, and its events count for both.
//! Elsewhere watching is recursive by nature and one watch per root does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use lunora_diagnostics::{Diagnostic, codes};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::snapshot::{Entry, Identity};

const PER_DIRECTORY: bool = cfg!(target_os = "linux");

/// One object and the paths that lead to it.
#[derive(Debug)]
struct Watched {
    /// The path that events come with.
    registered: PathBuf,
    aliases: BTreeSet<PathBuf>,
}

/// The watches in place.
#[derive(Debug)]
pub(crate) struct DirectoryWatches {
    watcher: RecommendedWatcher,
    by_identity: HashMap<Identity, Watched>,
    identities: BTreeMap<PathBuf, Identity>,
    /// The first thing that stood in the way, until it is taken.
    failure: Option<Diagnostic>,
}

impl DirectoryWatches {
    pub(crate) fn new(watcher: RecommendedWatcher) -> Self {
        Self {
            watcher,
            by_identity: HashMap::new(),
            identities: BTreeMap::new(),
            failure: None,
        }
    }

    /// Watches what is at `path`. `is_root`: everything below it is of interest.
    pub(crate) fn add(&mut self, path: &Path, entry: &Entry, is_root: bool) {
        if !PER_DIRECTORY && !is_root && entry.is_directory {
            return;
        }
        self.identities.insert(path.to_path_buf(), entry.identity);
        if let Some(watched) = self.by_identity.get_mut(&entry.identity) {
            watched.aliases.insert(path.to_path_buf());
            return;
        }
        let watched = Watched {
            registered: path.to_path_buf(),
            aliases: BTreeSet::from([path.to_path_buf()]),
        };
        self.by_identity.insert(entry.identity, watched);
        self.watch(path, is_root);
    }

    fn watch(&mut self, path: &Path, is_root: bool) {
        let mode = if PER_DIRECTORY || !is_root {
            RecursiveMode::NonRecursive
        } else {
            RecursiveMode::Recursive
        };
        if let Err(error) = self.watcher.watch(path, mode) {
            let vanished = matches!(error.kind, ErrorKind::PathNotFound)
                || matches!(&error.kind, ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound);
            // What vanished made an event in the directory above.
            if !vanished && self.failure.is_none() {
                self.failure = Some(diagnose(&error, path));
            }
        }
    }

    pub(crate) fn is_watched(&self, path: &Path) -> bool {
        self.identities.contains_key(path)
    }

    /// Forgets `path`, but nothing below it.
    pub(crate) fn forget_only(&mut self, path: &Path) {
        if let Some(identity) = self.identities.get(path).copied() {
            self.forget_one(path, identity);
        }
    }

    /// Forgets `path` and everything below it. What is also reached by another path stays watched by
    /// that one, which is returned to be looked at again.
    pub(crate) fn forget(&mut self, path: &Path) -> Vec<PathBuf> {
        let below: Vec<(PathBuf, Identity)> = self
            .identities
            .range::<Path, _>((std::ops::Bound::Included(path), std::ops::Bound::Unbounded))
            .take_while(|(found, _)| found.starts_with(path))
            .map(|(found, identity)| (found.clone(), *identity))
            .collect();
        let mut orphaned = Vec::new();
        for (gone, identity) in below {
            orphaned.extend(self.forget_one(&gone, identity));
        }
        orphaned.retain(|other| !other.starts_with(path));
        orphaned
    }

    /// Returns the path that the object is watched by from now on, if that has changed.
    fn forget_one(&mut self, gone: &Path, identity: Identity) -> Option<PathBuf> {
        self.identities.remove(gone);
        let watched = self.by_identity.get_mut(&identity)?;
        watched.aliases.remove(gone);
        if watched.registered != gone {
            return None;
        }
        // Fails where the object is gone, and its watch with it.
        drop(self.watcher.unwatch(gone));
        let Some(other) = watched.aliases.first().cloned() else {
            self.by_identity.remove(&identity);
            return None;
        };
        watched.registered.clone_from(&other);
        self.watch(&other, false);
        Some(other)
    }

    /// All paths that an event at `path` may concern.
    pub(crate) fn paths_of(&self, path: &Path) -> Vec<PathBuf> {
        let mut paths = vec![path.to_path_buf()];
        if let (Some(above), Some(name)) = (path.parent(), path.file_name()) {
            paths.extend(self.aliases(above).map(|alias| alias.join(name)));
        }
        paths.extend(self.aliases(path).cloned());
        paths
    }

    fn aliases(&self, path: &Path) -> impl Iterator<Item = &PathBuf> {
        self.identities
            .get(path)
            .and_then(|identity| self.by_identity.get(identity))
            .into_iter()
            .flat_map(|watched| &watched.aliases)
    }

    pub(crate) fn take_failure(&mut self) -> Option<Diagnostic> {
        self.failure.take()
    }
}

/// What stands in the way of watching `path`, and the command that removes it.
pub(crate) fn diagnose(error: &notify::Error, path: &Path) -> Diagnostic {
    const TOO_MANY_OPEN_FILES: i32 = 24;
    match &error.kind {
        ErrorKind::MaxFilesWatch => Diagnostic::error(
            codes::WATCH_LIMIT_REACHED,
            format!("`{}` cannot be watched: this user's inotify watches are used up.", path.display()),
        )
        .with_help(
            "Run `sudo sysctl fs.inotify.max_user_watches=524288`, and write `fs.inotify.max_user_watches=524288` into `/etc/sysctl.d/90-inotify.conf` to keep it.",
        ),
        ErrorKind::Io(cause) if cause.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => Diagnostic::error(
            codes::WATCH_LIMIT_REACHED,
            format!("`{}` cannot be watched: this user's inotify instances or open files are used up.", path.display()),
        )
        .with_help(
            "Run `sudo sysctl fs.inotify.max_user_instances=512`, and write `fs.inotify.max_user_instances=512` into `/etc/sysctl.d/90-inotify.conf` to keep it.",
        ),
        _ => Diagnostic::error(codes::WATCH_FAILED, format!("`{}` cannot be watched: {error}.", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_with_the_command_that_raises_them() {
        let watches = diagnose(&notify::Error::new(ErrorKind::MaxFilesWatch), Path::new("/app"));
        assert_eq!(watches.code, codes::WATCH_LIMIT_REACHED);
        assert!(
            watches
                .help
                .is_some_and(|help| help.contains("sudo sysctl fs.inotify.max_user_watches="))
        );
        let instances = diagnose(
            &notify::Error::io(std::io::Error::from_raw_os_error(24)),
            Path::new("/app"),
        );
        assert!(instances.help.is_some_and(|help| help.contains("max_user_instances")));
        let other = diagnose(
            &notify::Error::io(std::io::Error::from_raw_os_error(13)),
            Path::new("/app"),
        );
        assert_eq!(other.code, codes::WATCH_FAILED);
    }
}
