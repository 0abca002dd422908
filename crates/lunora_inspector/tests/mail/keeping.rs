//! What stays on disk: through a restart, at the limits, when the disk is full.

use lunora_diagnostics::codes;
use lunora_inspector::mail::{ChangeKind, Inbox};
use lunora_testing::SmallDisk;

use crate::support::{files, mail, open, options};

#[test]
fn mails_survive_a_restart_and_torn_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(folder.path());
    let ids: Vec<String> = ["one", "two", "three", "four"]
        .iter()
        .map(|subject| inbox.add(&mail(subject, 10)).unwrap())
        .collect();
    inbox.read(&ids[..1]).unwrap();
    let before = serde_json::to_value(inbox.list("", None, 10)).unwrap();
    drop(inbox);
    assert_eq!(
        serde_json::to_value(open(folder.path()).list("", None, 10)).unwrap(),
        before
    );

    let file = |id: &str, ending: &str| folder.path().join("mail").join(format!("{id}.{ending}"));
    // A record that was cut, a message that was cut, a message without a record, a file that was never finished.
    let record = std::fs::read(file(&ids[0], "json")).unwrap();
    std::fs::write(file(&ids[0], "json"), &record[..record.len() / 2]).unwrap();
    std::fs::write(file(&ids[1], "eml"), "From:").unwrap();
    std::fs::remove_file(file(&ids[2], "json")).unwrap();
    std::fs::write(folder.path().join("mail/.new-abc"), "x").unwrap();
    let (inbox, torn) = Inbox::open(options(folder.path()).0).unwrap();
    assert_eq!(torn.len(), 2, "{torn:?}");
    assert!(
        torn.iter()
            .all(|one| one.code == codes::MAIL_TORN && one.help.as_deref().is_some_and(|help| help.contains(".eml")))
    );
    let left: Vec<_> = inbox
        .list("", None, 10)
        .mails
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(left, ["four"]);
    assert!(!file(&ids[2], "eml").exists() && !folder.path().join("mail/.new-abc").exists());
    // Ids go on where they were.
    assert!(inbox.add(&mail("five", 1)).unwrap() > ids[3]);
}

#[test]
fn the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut few, changes) = options(folder.path());
    few.most_mails = 3;
    few.most_bytes = 2_000;
    let inbox = Inbox::open(few).unwrap().0;
    for subject in ["1", "2", "3", "4"] {
        inbox.add(&mail(subject, 10)).unwrap();
    }
    let subjects = |inbox: &Inbox| {
        inbox
            .list("", None, 10)
            .mails
            .into_iter()
            .map(|mail| mail.subject)
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(&inbox), ["4", "3", "2"]);
    inbox.add(&mail("5", 1_790)).unwrap();
    assert_eq!(subjects(&inbox), ["5", "4"]);
    // One that is larger than all room is the newest, and stays alone.
    inbox.add(&mail("6", 5_000)).unwrap();
    assert_eq!(subjects(&inbox), ["6"]);
    assert_eq!(files(folder.path()).len(), 2);
    assert_eq!(inbox.status().bytes, 5_000 + 69);
    let deleted = changes
        .lock()
        .unwrap()
        .iter()
        .filter(|change| change.change == ChangeKind::Deleted)
        .count();
    assert_eq!(deleted, 5);
}

#[test]
fn pages_go_from_the_newest_to_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = open(&folder.path().join("not/there/yet"));
    for number in 0..7 {
        inbox.add(&mail(&number.to_string(), 1)).unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = inbox.list("", after.as_deref(), 3);
        assert_eq!(page.count, 7);
        let Some(last) = page.mails.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.mails.into_iter().map(|mail| mail.subject));
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
}

#[test]
fn a_full_disk_loses_no_mail_that_was_kept() {
    SmallDisk::with(262_144, "keeping::a_full_disk_loses_no_mail_that_was_kept", |disk| {
        let state = disk.path().join("state");
        let (inbox, _) = Inbox::open(options(&state).0).unwrap();
        let kept = inbox.add(&mail("kept", 1_000)).unwrap();
        let error = inbox.add(&mail("large", 400_000)).unwrap_err();
        assert_eq!(error.code, codes::MAIL_NOT_KEPT);
        let full = disk.fill();
        assert_eq!(
            inbox.add(&mail("small", 10_000)).unwrap_err().code,
            codes::MAIL_NOT_KEPT
        );
        assert_eq!(
            inbox.read(std::slice::from_ref(&kept)).unwrap_err().code,
            codes::MAIL_NOT_KEPT
        );
        assert!(!inbox.list("", None, 1).mails[0].is_read);
        drop(full);
        assert_eq!(inbox.status().count, 1);
        assert_eq!(files(&state).len(), 2);
        inbox.read(std::slice::from_ref(&kept)).unwrap();
        inbox.add(&mail("again", 1_000)).unwrap();
        let (inbox, torn) = Inbox::open(options(&state).0).unwrap();
        assert_eq!((inbox.status().count, torn.len()), (2, 0));
        assert!(inbox.raw(&kept).unwrap().ends_with(b"xxx"));
    });
}
