//! What each command says of itself.

#![allow(clippy::unwrap_used, clippy::panic)]

use lunora_cli::{CommandOptions, CommandOutcome};

fn help_of(command: &str) -> String {
    let outcome = lunora_cli::run(&CommandOptions {
        arguments: vec![command.to_owned(), "--help".to_owned()],
        working_directory: ".".into(),
        color: false,
        columns: None,
        node_version: None,
    });
    match outcome {
        CommandOutcome::Done {
            exit_code: 0, stdout, ..
        } => stdout,
        other => panic!("{other:?}"),
    }
}

#[test]
fn help_is_what_was_looked_at() {
    for command in ["shards", "oplog", "pokes", "logs", "run", "chaos", "doctor", "import"] {
        insta::assert_snapshot!(command, help_of(command));
    }
}

#[test]
fn options_that_exclude_each_other() {
    for (arguments, named) in [
        (vec!["oplog", "--follow", "--url", "http://localhost"], "--url"),
        (vec!["run", "a:b", "--prod"], "--url"),
        (vec!["shards", "--token-file", "t"], "--url"),
        (vec!["logs", "--level", "loud"], "loud"),
        (vec!["import", "dump", "--abort", "--resume"], "--resume"),
        (vec!["pokes", "--limit", "0"], "0"),
        (vec!["chaos", "42", "--stop"], "--stop"),
        (vec!["chaos", "9007199254740992"], "9007199254740992"),
        (vec!["dev", "--chaos", "x"], "--chaos"),
    ] {
        let outcome = lunora_cli::run(&CommandOptions {
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            working_directory: ".".into(),
            color: false,
            columns: None,
            node_version: None,
        });
        let CommandOutcome::Done { exit_code, stderr, .. } = outcome else {
            panic!("{arguments:?}");
        };
        assert_eq!(exit_code, 2, "{arguments:?}");
        assert!(stderr.contains(named), "{stderr}");
    }
}
