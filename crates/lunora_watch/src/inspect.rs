//! Looks at the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lunora_diagnostics::{Diagnostic, codes};

use crate::filter::Filter;
use crate::options::WatchOptions;
use crate::snapshot::{Entry, Identity};

/// Twice the coarsest tick that Linux stamps files with.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// The files below `root` that a watcher with these options knows of.
///
/// # Errors
/// `WATCH_ROOT_MISSING`, `WATCH_FAILED`, `WATCH_IGNORE_INVALID`.
pub fn scan(root: &Path, options: &WatchOptions) -> Result<BTreeSet<PathBuf>, Diagnostic> {
    check_root(root)?;
    let filter = Filter::new(vec![root.to_path_buf()], options)?;
    let mut seen = BTreeMap::new();
    look(root, &filter, &mut |_, _, _| {}, &mut seen);
    Ok(seen
        .into_iter()
        .filter(|(_, entry)| !entry.is_directory)
        .map(|(path, _)| path)
        .collect())
}

/// Refuses a root that cannot be read.
pub(crate) fn check_root(root: &Path) -> Result<(), Diagnostic> {
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => fs::read_dir(root).map(drop).map_err(|error| {
            Diagnostic::error(
                codes::WATCH_FAILED,
                format!("`{}` cannot be read: {error}.", root.display()),
            )
        }),
        Ok(_) => Err(Diagnostic::error(
            codes::WATCH_ROOT_MISSING,
            format!("`{}` is a file, not a folder.", root.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Diagnostic::error(
            codes::WATCH_ROOT_MISSING,
            format!("The folder `{}` does not exist.", root.display()),
        )
        .with_help("Create it, or correct the path in the configuration.")),
        Err(error) => Err(Diagnostic::error(
            codes::WATCH_FAILED,
            format!("`{}` cannot be looked at: {error}.", root.display()),
        )),
    }
}

/// Told of a directory or a link, what it leads to (nothing, for a dangling one) and whether it is a link.
pub(crate) type OnPlace<'a> = &'a mut dyn FnMut(&Path, Option<&Entry>, bool);

/// Adds `path` and everything below it to `seen`. `watch` is called with every directory and link
/// *before* it is read, so that what comes after the reading makes an event.
pub(crate) fn look(path: &Path, filter: &Filter, watch: OnPlace<'_>, seen: &mut BTreeMap<PathBuf, Entry>) {
    let ancestors: Vec<Identity> = path
        .ancestors()
        .skip(1)
        .filter_map(|above| entry_at(above).map(|entry| entry.identity))
        .collect();
    look_below(path, filter, watch, seen, &ancestors);
}

fn look_below(
    path: &Path,
    filter: &Filter,
    watch: OnPlace<'_>,
    seen: &mut BTreeMap<PathBuf, Entry>,
    ancestors: &[Identity],
) {
    if !filter.counts(path) {
        return;
    }
    let Some(mut entry) = entry_at(path) else {
        if path.is_symlink() {
            watch(path, None, true);
        }
        return;
    };
    // A link to a directory above itself has no end.
    if entry.is_directory && ancestors.contains(&entry.identity) {
        watch(path, None, true);
        return;
    }
    if entry.is_directory || entry.is_link {
        watch(path, Some(&entry), entry.is_link);
        // What is watched must be what is read.
        match entry_at(path) {
            Some(again) => entry = again,
            None => return,
        }
    }
    seen.insert(path.to_path_buf(), entry);
    if !entry.is_directory {
        return;
    }
    // A directory that vanishes while it is read makes an event.
    let Ok(children) = fs::read_dir(path) else { return };
    let mut below = ancestors.to_vec();
    below.push(entry.identity);
    for child in children.flatten() {
        look_below(&child.path(), filter, watch, seen, &below);
    }
}

/// What is at `path`, links followed; `None` for nothing, for links that lead nowhere, and for what is
/// neither file nor directory.
pub(crate) fn entry_at(path: &Path) -> Option<Entry> {
    let own = fs::symlink_metadata(path).ok()?;
    let is_link = own.is_symlink();
    let metadata = if is_link { fs::metadata(path).ok()? } else { own };
    if !metadata.is_file() && !metadata.is_dir() {
        return None;
    }
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let age = SystemTime::now().duration_since(modified).unwrap_or_default();
    Some(Entry {
        identity: Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        },
        is_directory: metadata.is_dir(),
        is_link,
        modified,
        length: metadata.len(),
        fresh: age < CLOCK_TICK,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn finds_files_through_links_and_survives_loops() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("a/_generated")).unwrap();
        for name in ["one.ts", "a/two.ts", "a/_generated/api.ts", "a/two.ts~", ".two.swp"] {
            fs::write(at(name), "").unwrap();
        }
        symlink(at("a"), at("link")).unwrap();
        symlink(root.path(), at("a/loop")).unwrap();
        symlink(at("one.ts"), at("alias.ts")).unwrap();
        symlink(at("nowhere"), at("dangling.ts")).unwrap();
        let found = scan(root.path(), &WatchOptions::default()).unwrap();
        let expected = ["a/two.ts", "alias.ts", "link/two.ts", "one.ts"].map(at);
        assert_eq!(found, BTreeSet::from(expected));
    }

    #[test]
    fn a_root_that_is_not_there_is_coded() {
        let root = tempfile::tempdir().unwrap();
        let missing = scan(&root.path().join("none"), &WatchOptions::default()).unwrap_err();
        assert_eq!(missing.code, codes::WATCH_ROOT_MISSING);
        fs::write(root.path().join("file"), "").unwrap();
        let file = scan(&root.path().join("file"), &WatchOptions::default()).unwrap_err();
        assert_eq!(file.code, codes::WATCH_ROOT_MISSING);
    }
}
