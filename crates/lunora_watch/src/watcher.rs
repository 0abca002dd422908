//! The thread that listens to the operating system, looks at the disk and reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lunora_diagnostics::{Diagnostic, codes};
use notify::EventKind;
use notify::event::{AccessKind, AccessMode};

use crate::change_set::{ChangeSet, WatchEvent};
use crate::debounce::{Debounce, Look};
use crate::directory_watches::{DirectoryWatches, diagnose};
use crate::filter::Filter;
use crate::inspect::{check_root, entry_at, look};
use crate::options::WatchOptions;
use crate::snapshot::{Entry, Snapshot};

/// How often a root that has vanished is looked for.
const ROOT_POLL: Duration = Duration::from_millis(200);

enum Message {
    Os(notify::Result<notify::Event>),
    Stop,
}

/// Watches until closed or dropped.
#[derive(Debug)]
pub struct Watcher {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches everything below `roots`, and the single files of the options. What is there now is not
    /// reported; every later change is, on a thread of the watcher's own, which `sink` must not hold up.
    ///
    /// # Errors
    /// `WATCH_ROOT_MISSING`, `WATCH_LIMIT_REACHED`, `WATCH_FAILED`, `WATCH_IGNORE_INVALID`.
    pub fn start(
        roots: Vec<PathBuf>,
        options: WatchOptions,
        sink: impl FnMut(WatchEvent) + Send + 'static,
    ) -> Result<Self, Diagnostic> {
        for root in &roots {
            check_root(root)?;
        }
        let (messages, inbox) = channel();
        let sender = messages.clone();
        let first = roots.first().cloned().unwrap_or_default();
        let watcher = notify::recommended_watcher(move |event| {
            // Fails only when the watcher has been closed.
            drop(sender.send(Message::Os(event)));
        })
        .map_err(|error| diagnose(&error, &first))?;
        let mut state = State {
            filter: Filter::new(roots, &options)?,
            watches: DirectoryWatches::new(watcher),
            snapshot: Snapshot::default(),
            links: BTreeSet::new(),
            debounce: Debounce::new(options.quiet, options.quiet_for_one, options.longest_wait),
            started: Instant::now(),
        };
        state.look_at_everything(&mut BTreeMap::new());
        let failure = state.watches.take_failure();
        if let Some(diagnostic) = &failure
            && diagnostic.code == codes::WATCH_LIMIT_REACHED
        {
            return Err(diagnostic.clone());
        }
        let thread = std::thread::Builder::new()
            .name("lunora-watch".to_owned())
            .spawn(move || state.run(&inbox, failure, sink))
            .map_err(|error| Diagnostic::error(codes::WATCH_FAILED, format!("No thread for watching: {error}.")))?;
        Ok(Self {
            messages,
            thread: Some(thread),
        })
    }

    /// Ends watching. Nothing is reported after it returns (called from within the sink: after the sink
    /// returns).
    pub fn close(&mut self) {
        // Fails only when the thread has ended already.
        drop(self.messages.send(Message::Stop));
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic of the sink has been printed by its thread.
            drop(thread.join());
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.close();
    }
}

struct State {
    filter: Filter,
    watches: DirectoryWatches,
    snapshot: Snapshot,
    /// Symbolic links, dangling ones too: what they lead to may change without an event at the link.
    links: BTreeSet<PathBuf>,
    debounce: Debounce,
    started: Instant,
}

impl State {
    fn run(mut self, inbox: &Receiver<Message>, failure: Option<Diagnostic>, mut sink: impl FnMut(WatchEvent)) {
        // A folder that cannot be watched (unreadable, say) is no reason not to watch the others.
        if let Some(diagnostic) = failure {
            sink(WatchEvent::Diagnostic(diagnostic));
        }
        loop {
            let message = match self.wait_limit() {
                Some(limit) => inbox.recv_timeout(limit),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Os(Ok(event))) => self.hear(&event),
                Ok(Message::Os(Err(error))) => {
                    let path = error.paths.first().cloned().unwrap_or_default();
                    sink(WatchEvent::Diagnostic(diagnose(&error, &path)));
                    self.debounce.lost(self.started.elapsed());
                }
                Err(RecvTimeoutError::Timeout) => self.look_for_lost_places(),
            }
            if let Some(due) = self.debounce.take_due(self.started.elapsed()) {
                let changes = self.inspect(due);
                if !changes.changes.is_empty() {
                    sink(WatchEvent::Changes(changes));
                }
                if let Some(diagnostic) = self.watches.take_failure() {
                    sink(WatchEvent::Diagnostic(diagnostic));
                }
            }
        }
    }

    fn wait_limit(&self) -> Option<Duration> {
        let due = self
            .debounce
            .deadline()
            .map(|deadline| deadline.saturating_sub(self.started.elapsed()));
        let poll = self.lost_places().next().map(|_| ROOT_POLL);
        match (due, poll) {
            (Some(due), Some(poll)) => Some(due.min(poll)),
            (one, other) => one.or(other),
        }
    }

    /// Roots, and folders of single files, that are not there and so cannot be watched.
    fn lost_places(&self) -> impl Iterator<Item = &Path> {
        let roots = self
            .filter
            .roots
            .iter()
            .filter(|root| self.snapshot.get(root).is_none())
            .map(PathBuf::as_path);
        let folders = self
            .filter
            .files
            .iter()
            .filter_map(|file| file.parent())
            .filter(|folder| !self.watches.is_watched(folder));
        roots.chain(folders)
    }

    fn look_for_lost_places(&mut self) {
        let found: Vec<PathBuf> = self
            .lost_places()
            .filter(|place| entry_at(place).is_some())
            .map(Path::to_path_buf)
            .collect();
        for place in found {
            self.debounce.hint(place, self.started.elapsed());
        }
    }

    fn hear(&mut self, event: &notify::Event) {
        let now = self.started.elapsed();
        if event.need_rescan() {
            self.debounce.lost(now);
        }
        // Reading makes events too, our own included.
        if let EventKind::Access(kind) = event.kind
            && kind != AccessKind::Close(AccessMode::Write)
        {
            return;
        }
        for path in &event.paths {
            for path in self.watches.paths_of(path) {
                if self.filter.counts(&path) || self.holds_files(&path) {
                    self.debounce.hint(path, now);
                }
            }
        }
    }

    fn holds_files(&self, path: &Path) -> bool {
        self.filter.files.iter().any(|file| file.parent() == Some(path))
    }

    /// Compares the places with the snapshot, which then shows what is there now.
    fn inspect(&mut self, due: Look) -> ChangeSet {
        let mut changes = BTreeMap::new();
        if due.everything {
            self.look_at_everything(&mut changes);
            return ChangeSet {
                changes,
                rescanned: true,
            };
        }
        let mut places: BTreeSet<PathBuf> = BTreeSet::new();
        for path in &due.paths {
            if self.holds_files(path) {
                self.look_at_files_in(path, &mut changes);
            }
            if self.filter.counts(path) {
                places.insert(self.known_place(path));
            }
        }
        let turned = self
            .links
            .iter()
            .filter(|link| match (entry_at(link), self.snapshot.get(link)) {
                (Some(now), Some(before)) => before.differs(&now) || before.is_directory != now.is_directory,
                (now, before) => now.is_some() != before.is_some(),
            });
        places.extend(turned.map(|link| self.known_place(link)));
        self.look_at(places, &due.paths, &mut changes);
        ChangeSet {
            changes,
            rescanned: false,
        }
    }

    /// `path`, or the highest directory above it that has not been seen yet.
    fn known_place(&self, path: &Path) -> PathBuf {
        let mut place = path;
        while let Some(above) = place.parent()
            && !self.filter.is_root(place)
            && self.filter.counts(above)
            && self.snapshot.get(above).is_none()
        {
            place = above;
        }
        place.to_path_buf()
    }

    fn look_at(
        &mut self,
        mut places: BTreeSet<PathBuf>,
        hinted: &BTreeSet<PathBuf>,
        changes: &mut BTreeMap<PathBuf, crate::change_set::ChangeKind>,
    ) {
        // All are forgotten before any is looked at: a moved directory is watched by its new path only.
        let mut queue: Vec<PathBuf> = places.iter().cloned().collect();
        while let Some(place) = queue.pop() {
            for other in self.watches.forget(&place) {
                if places.insert(other.clone()) {
                    queue.push(other);
                }
            }
        }
        // What lies below another place is looked at with it, and after it for the sake of its hint.
        for place in places {
            let mut seen = BTreeMap::new();
            self.links.retain(|link| !link.starts_with(&place));
            let (watches, links, filter) = (&mut self.watches, &mut self.links, &self.filter);
            let mut watch = |path: &Path, entry: Option<&Entry>, is_link: bool| {
                if is_link {
                    links.insert(path.to_path_buf());
                }
                if let Some(entry) = entry {
                    watches.add(path, entry, filter.is_root(path));
                }
            };
            look(&place, filter, &mut watch, &mut seen);
            self.snapshot.replace(&place, seen, hinted.contains(&place), changes);
        }
    }

    fn look_at_everything(&mut self, changes: &mut BTreeMap<PathBuf, crate::change_set::ChangeKind>) {
        let folders: BTreeSet<PathBuf> = self
            .filter
            .files
            .iter()
            .filter_map(|file| file.parent())
            .map(Path::to_path_buf)
            .collect();
        for folder in folders {
            self.look_at_files_in(&folder, changes);
        }
        let roots = self.filter.roots.iter().cloned().collect();
        self.look_at(roots, &BTreeSet::new(), changes);
    }

    /// Watches `folder` for the sake of the single files in it.
    fn look_at_files_in(&mut self, folder: &Path, changes: &mut BTreeMap<PathBuf, crate::change_set::ChangeKind>) {
        let inside_root = self.snapshot.get(folder).is_some();
        if !inside_root {
            self.watches.forget_only(folder);
            if let Some(entry) = entry_at(folder).filter(|entry| entry.is_directory) {
                self.watches.add(folder, &entry, false);
            }
        }
        let files: BTreeSet<PathBuf> = self
            .filter
            .files
            .iter()
            .filter(|file| file.parent() == Some(folder))
            .cloned()
            .collect();
        self.look_at(files, &BTreeSet::new(), changes);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use notify::event::Flag;

    use super::*;
    use crate::change_set::ChangeKind;

    #[test]
    fn after_lost_events_everything_is_compared() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["kept.ts", "gone.ts", "changed.ts"] {
            std::fs::write(at(name), name).unwrap();
        }
        let options = WatchOptions::default();
        let mut state = State {
            filter: Filter::new(vec![folder.path().to_path_buf()], &options).unwrap(),
            // Every event is lost.
            watches: DirectoryWatches::new(notify::recommended_watcher(|_| {}).unwrap()),
            snapshot: Snapshot::default(),
            links: BTreeSet::new(),
            debounce: Debounce::new(options.quiet, options.quiet_for_one, options.longest_wait),
            started: Instant::now(),
        };
        state.look_at_everything(&mut BTreeMap::new());
        std::fs::remove_file(at("gone.ts")).unwrap();
        std::fs::write(at("changed.ts"), "other content").unwrap();
        std::fs::create_dir(at("new")).unwrap();
        std::fs::write(at("new/one.ts"), "").unwrap();
        state.hear(&notify::Event::new(EventKind::Other).set_flag(Flag::Rescan));
        let due = state
            .debounce
            .take_due(state.started.elapsed() + options.quiet)
            .unwrap();
        assert_eq!(
            state.inspect(due),
            ChangeSet {
                changes: BTreeMap::from([
                    (at("gone.ts"), ChangeKind::Removed),
                    (at("changed.ts"), ChangeKind::Modified),
                    (at("new/one.ts"), ChangeKind::Created),
                ]),
                rescanned: true,
            }
        );
    }
}
