//! Random operations against a rescan: after every burst, a reader that only looked where the watcher
//! said so knows the same files with the same content as one that read everything.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lunora_testing::Random;
use lunora_watch::{ChangeKind, ChangeSet, WatchEvent, WatchOptions, Watcher, scan};

const OPERATIONS: usize = 10_000;
const QUIET: Duration = Duration::from_millis(60);
/// Bursts whose operations followed each other this closely, on a machine that let threads run this
/// promptly, must be reported at once.
const CLOSE: Duration = Duration::from_millis(10);

/// Content by path, read only where the watcher pointed.
#[derive(Default)]
struct Reader {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Reader {
    fn apply(&mut self, changes: &ChangeSet) {
        for (path, change) in &changes.changes {
            match change {
                ChangeKind::Removed => assert!(
                    self.files.remove(path).is_some(),
                    "removed but unknown: {}",
                    path.display()
                ),
                ChangeKind::Created => assert!(!self.files.contains_key(path), "created but known: {}", path.display()),
                ChangeKind::Modified => assert!(
                    self.files.contains_key(path),
                    "modified but unknown: {}",
                    path.display()
                ),
            }
            if *change != ChangeKind::Removed {
                // It may be gone already; the next change set says so.
                self.files.insert(path.clone(), fs::read(path).unwrap_or_default());
            }
        }
    }
}

fn everything(root: &Path, options: &WatchOptions) -> BTreeMap<PathBuf, Vec<u8>> {
    scan(root, options)
        .unwrap()
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

struct World {
    root: PathBuf,
    outside: PathBuf,
    random: Random,
    counter: usize,
}

impl World {
    fn fresh(&mut self) -> String {
        self.counter += 1;
        format!("{}", self.counter)
    }

    fn content(&mut self) -> String {
        // Often of one length, so that only time and identity tell versions apart.
        let number = self.random.next_u64();
        if self.random.below(3) == 0 {
            format!("{number}")
        } else {
            format!("{:08x}", number & 0xffff_ffff)
        }
    }

    fn pick(&mut self, wanted: impl Fn(&Path, FileType) -> bool) -> Option<PathBuf> {
        let mut found = Vec::new();
        collect(&self.root, &wanted, &mut found);
        found.sort();
        (!found.is_empty()).then(|| found.swap_remove(self.random.below(found.len())))
    }

    fn directory(&mut self) -> PathBuf {
        let root = self.root.clone();
        self.pick(|_, kind| kind.is_dir())
            .filter(|path| path.components().count() < root.components().count() + 6)
            .unwrap_or(root)
    }

    fn file(&mut self) -> Option<PathBuf> {
        self.pick(|path, kind| kind.is_file() || (kind.is_symlink() && path.is_file()))
    }

    /// Operations race with nothing, but what they pick may not suit them: then they do nothing.
    fn operate(&mut self) {
        let directory = self.directory();
        let name = self.fresh();
        let content = self.content();
        match self.random.below(100) {
            0..20 => drop(fs::write(directory.join(format!("f{name}.ts")), content)),
            20..40 => {
                if let Some(file) = self.file() {
                    drop(fs::write(file, content));
                }
            }
            40..50 => {
                if let Some(file) = self.file() {
                    drop(fs::remove_file(file));
                }
            }
            50..62 => {
                if let Some(file) = self.file() {
                    let draft = file.with_file_name(format!("f{name}.ts.tmp"));
                    drop(fs::write(&draft, content).and_then(|()| fs::rename(&draft, &file)));
                }
            }
            62..70 => {
                let made = directory.join(format!("d{name}")).join("e");
                drop(fs::create_dir_all(&made).and_then(|()| fs::write(made.join("new.ts"), content)));
            }
            70..76 => {
                if let Some(moved) = self.pick(|_, kind| kind.is_dir()) {
                    drop(fs::rename(moved, directory.join(format!("m{name}"))));
                }
            }
            76..79 => {
                if let Some(gone) = self.pick(|_, kind| kind.is_dir()) {
                    drop(fs::remove_dir_all(gone));
                }
            }
            79..82 => {
                if let Some(file) = self.file() {
                    drop(symlink(file, directory.join(format!("l{name}.ts"))));
                }
            }
            82..84 => {
                if let Some(target) = self.pick(|_, kind| kind.is_dir()) {
                    drop(symlink(target, directory.join(format!("k{name}"))));
                }
            }
            84..88 => {
                if let Some(file) = self.file() {
                    drop(fs::rename(file, directory.join(format!("r{name}.ts"))));
                }
            }
            88..91 => {
                // Made and gone again.
                let file = directory.join(format!("g{name}.ts"));
                drop(fs::write(&file, content).and_then(|()| fs::remove_file(file)));
            }
            91..95 => {
                for leftover in [format!(".f{name}.swp"), "4913".to_owned(), format!("f{name}.ts~")] {
                    drop(fs::write(directory.join(leftover), &content));
                }
            }
            95..97 => {
                // Out of sight and back.
                let away = self.outside.join(&name);
                if let Some(moved) = self.pick(|_, kind| kind.is_dir()) {
                    drop(fs::rename(&moved, &away));
                    if self.random.below(2) == 0 {
                        drop(
                            fs::write(away.join("while-away.ts"), content)
                                .and_then(|()| fs::rename(&away, directory.join(format!("b{name}")))),
                        );
                    }
                }
            }
            97 => {
                // A folder in the place of a file.
                if let Some(file) = self.file() {
                    drop(
                        fs::remove_file(&file)
                            .and_then(|()| fs::create_dir(&file))
                            .and_then(|()| match name.len() % 2 {
                                0 => Ok(()),
                                _ => fs::write(file.join("inside.ts"), content),
                            }),
                    );
                }
            }
            98 => {
                // Another directory at the same path.
                if let Some(replaced) = self.pick(|_, kind| kind.is_dir()) {
                    let away = self.outside.join(&name);
                    drop(
                        fs::rename(&replaced, &away)
                            .and_then(|()| fs::create_dir(&replaced))
                            .and_then(|()| fs::write(replaced.join("again.ts"), content)),
                    );
                }
            }
            _ => {
                if self.random.below(20) == 0 {
                    let checkout = directory.join(format!("c{name}"));
                    for number in 0..500 {
                        let folder = checkout.join((number % 20).to_string());
                        drop(
                            fs::create_dir_all(&folder)
                                .and_then(|()| fs::write(folder.join(format!("{number}.ts")), &content)),
                        );
                    }
                } else if let Some(made) = self.pick(|path, kind| {
                    kind.is_dir()
                        && path
                            .file_name()
                            .is_some_and(|name| name.to_string_lossy().starts_with('c'))
                }) {
                    drop(fs::remove_dir_all(made));
                }
            }
        }
    }
}

/// Everything below `directory` that is `wanted`; links are not followed.
fn collect(directory: &Path, wanted: &impl Fn(&Path, FileType) -> bool, found: &mut Vec<PathBuf>) {
    let Ok(children) = fs::read_dir(directory) else { return };
    for child in children.flatten() {
        let path = child.path();
        let Ok(kind) = child.file_type() else { continue };
        if wanted(&path, kind) {
            found.push(path.clone());
        }
        if kind.is_dir() {
            collect(&path, wanted, found);
        }
    }
}

/// Notices when the machine lets no thread run.
struct Canary {
    longest: Arc<AtomicU64>,
}

impl Canary {
    fn start() -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let weak = Arc::downgrade(&longest);
        std::thread::spawn(move || {
            let mut before = Instant::now();
            while let Some(longest) = weak.upgrade() {
                std::thread::sleep(Duration::from_millis(1));
                longest.fetch_max(u64::try_from(before.elapsed().as_micros()).unwrap(), Ordering::Relaxed);
                before = Instant::now();
            }
        });
        Self { longest }
    }

    fn take(&self) -> Duration {
        Duration::from_micros(self.longest.swap(0, Ordering::Relaxed))
    }
}

/// Applies what is reported until `last` is; returns the reports it took.
fn settle(events: &Receiver<WatchEvent>, reader: &mut Reader, last: &Path) -> Vec<ChangeSet> {
    let mut reports = Vec::new();
    while !reader.files.contains_key(last) {
        match events.recv_timeout(Duration::from_secs(30)) {
            Ok(WatchEvent::Changes(changes)) => {
                assert!(!changes.changes.is_empty());
                reader.apply(&changes);
                reports.push(changes);
            }
            Ok(WatchEvent::Diagnostic(diagnostic)) => panic!("{diagnostic:?}"),
            Err(error) => panic!("{} was never reported: {error}", last.display()),
        }
    }
    reports
}

#[test]
fn what_the_watcher_says_equals_a_rescan() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("lunora"), folder.path().join("outside"));
    fs::create_dir_all(root.join("_generated")).unwrap();
    fs::create_dir(&outside).unwrap();
    let options = WatchOptions {
        quiet: QUIET,
        quiet_for_one: QUIET,
        longest_wait: Duration::from_secs(10),
        ..WatchOptions::default()
    };
    let (sender, events) = channel();
    let _watcher = Watcher::start(vec![root.clone()], options.clone(), move |event| {
        drop(sender.send(event));
    })
    .unwrap();

    let mut world = World {
        root: root.clone(),
        outside,
        // Printed; other operations on each run.
        random: Random::anew("random_operations"),
        counter: 0,
    };
    let mut reader = Reader::default();
    let mut done = 0;
    let (mut strict, mut split) = (0, 0);
    let canary = Canary::start();
    while done < OPERATIONS {
        let burst = 1 + world.random.below(160);
        let mut longest_gap = Duration::ZERO;
        canary.take();
        let mut before = Instant::now();
        for _ in 0..burst {
            world.operate();
            longest_gap = longest_gap.max(before.elapsed());
            before = Instant::now();
        }
        done += burst;
        let last = root.join(format!("sentinel-{}.ts", world.fresh()));
        fs::write(&last, "x").unwrap();
        longest_gap = longest_gap.max(before.elapsed());
        let reports = settle(&events, &mut reader, &last);
        let truth = everything(&root, &options);
        if reader.files != truth {
            let wrong: Vec<_> = truth
                .iter()
                .filter(|(path, content)| reader.files.get(*path) != Some(content))
                .map(|(path, _)| path)
                .chain(reader.files.keys().filter(|path| !truth.contains_key(*path)))
                .collect();
            panic!("after {done} operations: {wrong:#?}");
        }
        if longest_gap.max(canary.take()) < CLOSE {
            strict += 1;
            if reports.len() != 1 {
                split += 1;
                eprintln!("{burst} operations in {} reports: {reports:?}", reports.len());
            }
        }
        if reader.files.len() > 800 {
            for child in fs::read_dir(&root).unwrap().flatten() {
                drop(fs::remove_dir_all(child.path()).or_else(|_| fs::remove_file(child.path())));
            }
        }
    }
    eprintln!("{strict} prompt bursts, {split} of them in several reports");
    // The canary does not see every stall of the watcher's own threads.
    assert!(strict > 0, "no burst was quick enough to say anything about reports");
    assert!(
        split * 50 <= strict + 50,
        "{split} of {strict} quiet periods brought more than one report"
    );
}
