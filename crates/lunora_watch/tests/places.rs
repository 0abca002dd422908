//! Roots that come and go, single files, links, and closing.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lunora_diagnostics::codes;
use lunora_watch::{ChangeKind, WatchEvent, WatchOptions, Watcher};

fn watch(roots: &[&Path], files: &[PathBuf]) -> (Watcher, Receiver<WatchEvent>) {
    let (sender, events) = channel();
    let options = WatchOptions {
        files: files.to_vec(),
        ..WatchOptions::default()
    };
    let roots = roots.iter().map(|root| root.to_path_buf()).collect();
    (
        Watcher::start(roots, options, move |event| drop(sender.send(event))).unwrap(),
        events,
    )
}

/// Waits until `path` is reported as `change`.
fn expect(events: &Receiver<WatchEvent>, path: &Path, change: ChangeKind) {
    let mut seen = Vec::new();
    loop {
        match events.recv_timeout(Duration::from_secs(20)) {
            Ok(WatchEvent::Changes(changes)) => {
                if changes.changes.get(path) == Some(&change) {
                    return;
                }
                seen.push(changes);
            }
            other => panic!(
                "{} {change:?} was never reported, but {seen:?}, then {other:?}",
                path.display()
            ),
        }
    }
}

#[test]
fn a_file_replaced_by_a_folder_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.ts");
    fs::write(&file, "1").unwrap();
    let (_watcher, events) = watch(&[folder.path()], &[]);
    for _ in 0..3 {
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        expect(&events, &file, ChangeKind::Removed);
        fs::remove_dir(&file).unwrap();
        fs::write(&file, "2").unwrap();
        expect(&events, &file, ChangeKind::Created);
    }
}

#[test]
fn a_root_that_is_deleted_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/lunora");
    fs::create_dir_all(&root).unwrap();
    let file = root.join("one.ts");
    fs::write(&file, "1").unwrap();
    let (_watcher, events) = watch(&[&root], &[]);
    for _ in 0..3 {
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        expect(&events, &file, ChangeKind::Removed);
        fs::create_dir_all(&root).unwrap();
        fs::write(&file, "2").unwrap();
        expect(&events, &file, ChangeKind::Created);
        fs::write(&file, "3 and more").unwrap();
        expect(&events, &file, ChangeKind::Modified);
    }
}

#[test]
fn a_root_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Watcher::start(vec![folder.path().join("none")], WatchOptions::default(), |_| {}).unwrap_err();
    assert_eq!(refused.code, codes::WATCH_ROOT_MISSING);
}

#[test]
fn single_files_beside_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lunora");
    fs::create_dir(&root).unwrap();
    let (config, variables) = (folder.path().join("wrangler.jsonc"), folder.path().join(".dev.vars"));
    fs::write(&config, "{}").unwrap();
    let (_watcher, events) = watch(&[&root], &[config.clone(), variables.clone()]);
    fs::write(folder.path().join("package.json"), "{}").unwrap();
    fs::write(&variables, "A=1").unwrap();
    match events.recv_timeout(Duration::from_secs(20)).unwrap() {
        WatchEvent::Changes(changes) => {
            assert_eq!(
                changes.changes.into_iter().collect::<Vec<_>>(),
                [(variables.clone(), ChangeKind::Created)]
            );
        }
        other @ WatchEvent::Diagnostic(_) => panic!("{other:?}"),
    }
    let draft = folder.path().join("wrangler.jsonc.tmp");
    fs::write(&draft, "{ }").unwrap();
    fs::rename(&draft, &config).unwrap();
    expect(&events, &config, ChangeKind::Modified);
    fs::remove_file(&variables).unwrap();
    expect(&events, &variables, ChangeKind::Removed);
    fs::write(root.join("a.ts"), "").unwrap();
    expect(&events, &root.join("a.ts"), ChangeKind::Created);
}

#[test]
fn what_a_link_leads_to_is_watched_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (root, shared) = (folder.path().join("lunora"), folder.path().join("shared"));
    fs::create_dir_all(shared.join("deep")).unwrap();
    fs::create_dir(&root).unwrap();
    fs::write(shared.join("deep/one.ts"), "1").unwrap();
    fs::write(folder.path().join("alone.ts"), "1").unwrap();
    symlink(&shared, root.join("shared")).unwrap();
    let (_watcher, events) = watch(&[&root], &[]);
    fs::write(shared.join("deep/one.ts"), "other").unwrap();
    expect(&events, &root.join("shared/deep/one.ts"), ChangeKind::Modified);
    symlink(folder.path().join("alone.ts"), root.join("alone.ts")).unwrap();
    expect(&events, &root.join("alone.ts"), ChangeKind::Created);
    fs::write(folder.path().join("alone.ts"), "other").unwrap();
    expect(&events, &root.join("alone.ts"), ChangeKind::Modified);
}

#[test]
fn nothing_is_reported_after_closing_and_closing_twice_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let (mut watcher, events) = watch(&[folder.path()], &[]);
    fs::write(folder.path().join("a.ts"), "").unwrap();
    expect(&events, &folder.path().join("a.ts"), ChangeKind::Created);
    fs::write(folder.path().join("b.ts"), "").unwrap();
    watcher.close();
    watcher.close();
    while events.try_recv().is_ok() {}
    fs::write(folder.path().join("c.ts"), "").unwrap();
    assert!(events.recv().is_err(), "the sink is gone");
}

#[test]
fn a_watcher_may_be_closed_from_within_its_sink() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, done) = channel();
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None::<Watcher>));
    let inner = slot.clone();
    let watcher = Watcher::start(vec![folder.path().to_path_buf()], WatchOptions::default(), move |_| {
        let taken = inner.lock().unwrap().take();
        drop(taken);
        sender.send(()).unwrap();
    })
    .unwrap();
    *slot.lock().unwrap() = Some(watcher);
    fs::write(folder.path().join("a.ts"), "").unwrap();
    done.recv_timeout(Duration::from_secs(20)).unwrap();
}
