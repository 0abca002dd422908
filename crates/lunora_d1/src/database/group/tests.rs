#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::database::session::Role;
use crate::limits::D1Limits;
use crate::request::RowsFormat;

fn open(folder: &Path, limits: &D1Limits) -> Session {
    Session::open(&folder.join("a.sqlite"), Role::Writer, limits).unwrap()
}

fn ask(queries: &Value) -> Request {
    Request::read(queries.to_string().as_bytes(), RowsFormat::RowsAndColumns).unwrap()
}

fn ask_text(sql: &str) -> Request {
    ask(&json!({ "sql": sql }))
}

/// Runs everything, in as many groups as it takes, and answers whether each succeeded.
fn run_all(session: &Session, texts: &[&str]) -> Vec<Result<Value, String>> {
    let requests: Vec<Request> = texts.iter().map(|text| ask_text(text)).collect();
    let mut rest: Vec<&Request> = requests.iter().collect();
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let some = commit(session, &rest);
        rest.drain(..some.len());
        answers.extend(some);
    }
    assert!(session.connection.is_autocommit(), "nothing is left open");
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).unwrap();
    answers
        .into_iter()
        .map(|answer| answer.map(read).map_err(|failure| failure.text))
        .collect()
}

fn outcomes(session: &Session, texts: &[&str]) -> Vec<String> {
    let outcome = |answer| match answer {
        Ok(_) => "ok".to_owned(),
        Err(text) => text,
    };
    run_all(session, texts).into_iter().map(outcome).collect()
}

/// The rows of one statement.
fn rows(session: &Session, sql: &str) -> Value {
    run_all(session, &[sql]).remove(0).unwrap()[0]["results"]["rows"].clone()
}

const UNIQUE: &str = "UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)";

#[test]
fn one_that_fails_takes_only_its_own_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    let found = outcomes(
        &session,
        &[
            "INSERT INTO t VALUES (1, 'a')",
            "INSERT INTO t VALUES (2, 'b'); INSERT INTO t VALUES (1, 'c')",
            "INSERT INTO t VALUES (3, 'd')",
        ],
    );
    assert_eq!(found, ["ok", UNIQUE, "ok"]);
    assert_eq!(rows(&session, "SELECT id, v FROM t"), json!([[1, "a"], [3, "d"]]));
}

#[test]
fn one_that_ends_the_transaction_takes_only_its_own_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY)"]);
    let found = outcomes(
        &session,
        &[
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (2); INSERT OR ROLLBACK INTO t VALUES (1)",
            "INSERT INTO t VALUES (3)",
        ],
    );
    assert_eq!(found, ["ok", UNIQUE, "ok"]);
    assert_eq!(rows(&session, "SELECT id FROM t"), json!([[1], [3]]));
}

#[test]
fn a_later_one_sees_an_earlier_one_and_counts_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY)"]);
    let answers = run_all(
        &session,
        &[
            "INSERT INTO t VALUES (7), (8)",
            "SELECT count(*) FROM t",
            "UPDATE t SET id = id + 10",
        ],
    );
    let meta = |index: usize, name: &str| answers[index].as_ref().unwrap()[0]["meta"][name].clone();
    assert_eq!((meta(0, "changes"), meta(0, "last_row_id")), (json!(2), json!(8)));
    assert_eq!(answers[1].as_ref().unwrap()[0]["results"]["rows"], json!([[2]]));
    assert_eq!((meta(1, "changes"), meta(1, "changed_db")), (json!(0), json!(false)));
    assert_eq!((meta(2, "changes"), meta(2, "changed_db")), (json!(2), json!(true)));
}

#[test]
fn constraints_of_the_commit_are_each_requests_own() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    run_all(
        &session,
        &[
            "CREATE TABLE p (id INTEGER PRIMARY KEY)",
            "CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
        ],
    );
    let texts = [
        "INSERT INTO c VALUES (1)",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO c VALUES (1)",
    ];
    let failed = "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)";
    assert_eq!(outcomes(&session, &texts), [failed, "ok", "ok"]);
    assert_eq!(rows(&session, "SELECT p FROM c"), json!([[1]]));
}

#[test]
fn a_setting_holds_for_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    run_all(
        &session,
        &[
            "CREATE TABLE p (id INTEGER PRIMARY KEY)",
            "CREATE TABLE c (p REFERENCES p (id), n CHECK (n > 0))",
        ],
    );
    let deferred = "PRAGMA defer_foreign_keys = on; INSERT INTO c (p) VALUES (1); INSERT INTO p VALUES (1)";
    let unchecked = "PRAGMA ignore_check_constraints = on; INSERT INTO c (n) VALUES (-1)";
    assert_eq!(outcomes(&session, &[deferred, unchecked]), ["ok", "ok"]);
    let found = outcomes(
        &session,
        &["INSERT INTO c (p) VALUES (2)", "INSERT INTO c (n) VALUES (-1)"],
    );
    assert!(
        found[0].starts_with("FOREIGN KEY") && found[1].starts_with("CHECK"),
        "{found:?}"
    );
    run_all(&session, &["PRAGMA case_sensitive_like = on"]);
    assert_eq!(rows(&session, "SELECT 'a' LIKE 'A'"), json!([[1]]));
}

#[test]
fn a_full_database_is_an_answer_and_the_small_ones_still_fit() {
    let folder = tempfile::tempdir().unwrap();
    let limits = D1Limits {
        database_bytes: 40 * 4096,
        ..D1Limits::default()
    };
    let session = open(folder.path(), &limits);
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY, v)"]);
    let found = outcomes(
        &session,
        &[
            "INSERT INTO t VALUES (1, 'a')",
            "INSERT INTO t VALUES (2, zeroblob(400000))",
            "INSERT INTO t VALUES (3, 'b')",
        ],
    );
    assert_eq!(found, ["ok", "database or disk is full: SQLITE_FULL", "ok"]);
    assert_eq!(rows(&session, "SELECT id FROM t"), json!([[1], [3]]));
    assert_eq!(
        outcomes(&session, &["DELETE FROM t", "INSERT INTO t VALUES (1, 'c')"]),
        ["ok", "ok"]
    );
}

#[test]
fn a_statement_without_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let limits = D1Limits {
        query_time: Duration::from_millis(50),
        ..D1Limits::default()
    };
    let session = open(folder.path(), &limits);
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY)"]);
    let endless = "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 3 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
    let found = outcomes(
        &session,
        &["INSERT INTO t VALUES (1)", endless, "INSERT INTO t VALUES (2)"],
    );
    assert_eq!(
        found[1],
        "the statements ran longer than 50ms and were stopped; ask for less at once, or by an index: SQLITE_INTERRUPT"
    );
    assert_eq!((found[0].as_str(), found[2].as_str()), ("ok", "ok"));
    assert_eq!(rows(&session, "SELECT id FROM t"), json!([[1], [2]]));
}

#[test]
fn somebody_elses_lock_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    session.connection.busy_timeout(Duration::from_millis(10)).unwrap();
    run_all(&session, &["CREATE TABLE t (id INTEGER PRIMARY KEY)"]);
    let other = rusqlite::Connection::open(folder.path().join("a.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let texts = ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"];
    assert_eq!(outcomes(&session, &texts), ["database is locked: SQLITE_BUSY"; 2]);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(outcomes(&session, &texts), ["ok", "ok"]);
}

#[test]
fn what_reaches_outside_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    let other = folder.path().join("other.sqlite");
    let refused = [
        "BEGIN",
        "commit",
        "END",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE a",
        &format!("ATTACH '{}' AS other", other.display()),
        "DETACH main",
        "VACUUM",
        &format!("VACUUM INTO '{}'", other.display()),
        "CREATE TEMP TABLE a (b)",
        "CREATE TABLE _cf_a (b)",
        "CREATE VIRTUAL TABLE a USING dbstat",
        "SELECT * FROM dbstat",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA synchronous = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA max_page_count = 1",
        "PRAGMA page_size = 512",
        "PRAGMA user_version = 3",
        "PRAGMA temp_store_directory = '/'",
        "SELECT load_extension('a')",
        "SELECT sqlite_version()",
        "SELECT fts3_tokenizer('simple')",
        "SELECT sqlite_rename_test('main', 'CREATE TABLE a (b)', 'table', 'a', 0, '', 0)",
        "SELECT sqlite_fail('a', 1)",
        "SELECT soundex('a')",
        "SELECT * FROM pragma_database_list",
        "INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)",
    ];
    for text in refused {
        assert_ne!(outcomes(&session, &[text]), ["ok"], "{text}");
    }
    assert!(!other.exists());
    assert_eq!(rows(&session, "PRAGMA foreign_keys"), json!([[1]]));
}

#[test]
fn a_schema_can_be_changed_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(folder.path(), &D1Limits::default());
    for text in [
        "CREATE TABLE a (b INTEGER, c TEXT GENERATED ALWAYS AS (b || 'x'), d)",
        "CREATE UNIQUE INDEX i ON a (b) WHERE b > 0",
        "CREATE INDEX j ON a (pow(b, 2))",
        "CREATE VIEW v AS SELECT b FROM a",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET d = 1; SELECT 1; END",
        "INSERT INTO a (b) VALUES (1)",
        "ALTER TABLE a RENAME COLUMN d TO e",
        "ALTER TABLE a ADD COLUMN f DEFAULT 1",
        "ALTER TABLE a DROP COLUMN f",
        "ALTER TABLE a RENAME TO g",
        "CREATE TABLE k AS SELECT * FROM g",
        "CREATE VIRTUAL TABLE s USING fts5 (x)",
        "INSERT INTO s VALUES ('some words')",
        "CREATE VIRTUAL TABLE w USING fts5vocab (s, row)",
        "SELECT bm25(s), snippet(s, 0, '', '', '', 2) FROM s WHERE s MATCH 'words'",
        "ANALYZE",
        "REINDEX",
        "PRAGMA optimize",
        "SELECT e ->> '$' FROM g",
        "DROP VIEW v",
        "DROP TABLE s",
        "DROP TABLE g",
    ] {
        assert_eq!(outcomes(&session, &[text]), ["ok"], "{text}");
    }
}
