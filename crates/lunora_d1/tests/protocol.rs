//! What the routes answer, and whom they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use lunora_d1::D1Limits;
use serde_json::{Value, json};
use support::{Client, start, start_with};

#[tokio::test]
async fn a_table_is_made_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    let made = client.post(
        "/execute?resultsFormat=NONE",
        r#"[{"sql":"CREATE TABLE t (id INTEGER PRIMARY KEY, v)"}]"#,
    );
    assert_eq!(made.await.json()[0]["results"], json!([]));

    let batch = json!([
        { "sql": "INSERT INTO t (v) VALUES (?)", "params": ["a"] },
        { "sql": "-- nothing" },
        { "sql": "INSERT INTO t (v) VALUES (?), (?)", "params": [[0, 255], null] },
    ]);
    let answer = client
        .post("/query?resultsFormat=ROWS_AND_COLUMNS", batch.to_string())
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let found = answer.json();
    assert_eq!(found.as_array().unwrap().len(), 2);
    let meta = found[1]["meta"].as_object().unwrap();
    for (name, expected) in [
        ("served_by", json!("lunora")),
        ("served_by_primary", json!(true)),
        ("total_attempts", json!(1)),
        ("changes", json!(2)),
        ("last_row_id", json!(3)),
        ("changed_db", json!(true)),
        ("size_after", json!(8192)),
        ("rows_written", json!(2)),
        ("rows_read", json!(0)),
    ] {
        assert_eq!(meta[name], expected, "{name}");
    }
    assert!(meta["duration"].is_number() && meta["timings"]["sql_duration_ms"].is_number());

    let read = r#"{"sql":"SELECT id, v FROM t ORDER BY id"}"#;
    let raw = client.post("/query?resultsFormat=ROWS_AND_COLUMNS", read).await.json();
    let expected = json!({ "columns": ["id", "v"], "rows": [[1, "a"], [2, [0, 255]], [3, null]] });
    assert_eq!(raw[0]["results"], expected);
    assert_eq!(
        (&raw[0]["meta"]["rows_read"], &raw[0]["meta"]["last_row_id"]),
        (&json!(3), &json!(3))
    );
    for path in [
        "/query",
        "/query?resultsFormat=ARRAY_OF_OBJECTS",
        "/execute?resultsFormat=NONE",
    ] {
        assert_eq!(
            client.post(path, read).await.json()[0]["results"][0],
            json!({ "id": 1, "v": "a" }),
            "{path}"
        );
    }
    server.close().await;
}

#[tokio::test]
async fn a_request_is_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    client
        .query("CREATE TABLE t (id INTEGER PRIMARY KEY)", json!([]))
        .await
        .rows();
    let batch = r#"[{"sql":"INSERT INTO t VALUES (1)"},{"sql":"INSERT INTO t VALUES (1)"}]"#;
    let failed = client.post("/query", batch).await;
    assert_eq!(failed.status, 200);
    assert!(
        failed
            .error()
            .ends_with(": SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)")
    );
    assert_eq!(
        client.query("SELECT count(*) FROM t", json!([])).await.rows(),
        json!([[0]])
    );
    server.close().await;
}

#[tokio::test]
async fn names_of_databases_are_no_paths() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    let long = "a".repeat(65);
    for name in [
        "",
        ".",
        "..",
        "../DB",
        "/etc/passwd",
        "a/b",
        "a b",
        "DB.sqlite",
        "%2e%2e",
        "file:a?mode=memory",
        &long,
    ] {
        client.database = Bytes::from(name.to_owned());
        let answer = client.query("CREATE TABLE t (a)", json!([])).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(
            answer
                .error()
                .ends_with("is no name of a database, which is 1 to 64 of `A-Z a-z 0-9 _ -`: BAD_REQUEST")
        );
        assert_eq!(client.post("/dump", "").await.status, 400, "{name}");
    }
    client.database = Bytes::from_static(b"\xff\xfe");
    assert_eq!(client.query("SELECT 1", json!([])).await.status, 400);
    let nameless = Request::post("/query")
        .header("host", "d1")
        .body(Full::from(r#"{"sql":"SELECT 1"}"#))
        .unwrap();
    assert_eq!(client.send(nameless).await.unwrap().status, 400);
    assert_eq!(
        std::fs::read_dir(server.folder()).unwrap().count(),
        0,
        "no file was made"
    );
    let beside: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["d1"]);

    // Names that differ are databases that differ, and each is a file.
    for name in ["one", "two"] {
        client.database = Bytes::from(name);
        client.query("CREATE TABLE t (a)", json!([])).await.rows();
        assert!(server.folder().join(format!("{name}.sqlite")).is_file());
    }
    server.close().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_the_connection_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let limits = D1Limits {
        body_bytes: 1 << 20,
        answer_bytes: 1 << 20,
        ..D1Limits::default()
    };
    let server = start_with(folder.path(), limits).await;
    let mut client = Client::of(&server).await;
    let body = json!({ "sql": "SELECT 1", "params": ["x".repeat(8 << 20)] }).to_string();
    let answer = client.post("/query", body).await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.error().ends_with("; send less at once: PAYLOAD_TOO_LARGE"),
        "{}",
        answer.error()
    );

    client.query("CREATE TABLE t (a)", json!([])).await.rows();
    let rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1e6) SELECT x FROM c";
    let answer = client.query(rows, json!([])).await;
    assert_eq!(answer.status, 413);
    assert!(
        answer
            .error()
            .ends_with("; ask for fewer rows at once: PAYLOAD_TOO_LARGE")
    );
    // What was written to answer it is undone with it.
    let answer = client
        .query(&format!("INSERT INTO t {rows} RETURNING a"), json!([]))
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        client.query("SELECT count(*) FROM t", json!([])).await.rows(),
        json!([[0]])
    );

    for (sql, expected) in [
        (format!("SELECT '{}'", "a".repeat(100_000)), "SQLITE_TOOBIG"),
        (
            "SELECT length(randomblob(2000001))".to_owned(),
            "string or blob too big: SQLITE_TOOBIG",
        ),
        (format!("SELECT {}", vec!["?"; 101].join(",")), "SQLITE_ERROR"),
        (
            format!(
                "CREATE TABLE u ({})",
                (0..101).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",")
            ),
            "too many columns on u: SQLITE_ERROR",
        ),
    ] {
        let parameters = if sql.contains('?') {
            json!(vec![1; 101])
        } else {
            json!([])
        };
        let answer = client.query(&sql, parameters).await;
        assert!(answer.error().ends_with(expected), "{}", answer.error());
    }
    server.close().await;
}

#[tokio::test]
async fn sessions_are_answered_with_bookmarks_that_grow() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    let mut given: Vec<String> = Vec::new();
    for sent in [
        "first-primary",
        "first-unconstrained",
        "00000000000f-00000001",
        "anything",
    ] {
        let mut request = client.request("/query", r#"{"sql":"SELECT 1"}"#);
        request
            .headers_mut()
            .insert("x-cf-d1-session-commit-token", sent.parse().unwrap());
        let answer = client.send(request).await.unwrap();
        given.push(
            answer.headers["x-cf-d1-session-commit-token"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert!(
        given.is_sorted_by(|one, next| one < next && one.len() == next.len()),
        "{given:?}"
    );
    for (sent, body) in [
        ("", r#"{"sql":"SELECT 1"}"#),
        (" ", r#"{"sql":"SELECT 1"}"#),
        ("first-primary", r#"{"sql":"x"}"#),
    ] {
        let mut request = client.request("/query", body);
        request
            .headers_mut()
            .insert("x-cf-d1-session-commit-token", sent.parse().unwrap());
        let answer = client.send(request).await.unwrap();
        assert!(!answer.headers.contains_key("x-cf-d1-session-commit-token"), "{sent}");
    }
    server.close().await;
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    let found = client.post("/other", r#"{"sql":"SELECT 1"}"#).await;
    assert_eq!(
        (found.status, found.error().as_str()),
        (404, "`/other` is none of D1's paths: NOT_FOUND")
    );
    let mut request = client.request("/query", "");
    *request.method_mut() = hyper::Method::GET;
    let found = client.send(request).await.unwrap();
    assert_eq!(
        (found.status, found.error().as_str()),
        (405, "D1 is asked by `POST`: METHOD_NOT_ALLOWED")
    );
    for body in ["", "{", "[1]", r#"{"sql":1}"#, r#"{"sql":"SELECT ?","params":[true]}"#] {
        assert_eq!(client.post("/query", body).await.status, 400, "{body}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_answer_and_can_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    let file = server.folder().join("DB.sqlite");
    std::fs::write(&file, "no database ".repeat(1000)).unwrap();
    for _ in 0..2 {
        assert_eq!(
            client.query("SELECT 1", json!([])).await.error(),
            "file is not a database: SQLITE_NOTADB"
        );
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(client.query("SELECT 1", json!([])).await.rows(), json!([[1]]));
    server.close().await;
}

#[tokio::test]
async fn readers_wait_for_no_writer() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    client.query("CREATE TABLE t (a)", json!([])).await.rows();
    // Holds the one place to write.
    let other = rusqlite::Connection::open(server.folder().join("DB.sqlite")).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        .unwrap();
    let mut writer = Client::of(&server).await;
    let waits = tokio::spawn(async move { writer.query("INSERT INTO t VALUES (2)", json!([])).await });
    for _ in 0..3 {
        assert_eq!(
            client.query("SELECT count(*) FROM t", json!([])).await.rows(),
            json!([[0]])
        );
    }
    assert!(!waits.is_finished());
    other.execute_batch("COMMIT").unwrap();
    waits.await.unwrap().rows();
    assert_eq!(
        client.query("SELECT count(*) FROM t", json!([])).await.rows(),
        json!([[2]])
    );
    server.close().await;
}

#[tokio::test]
async fn a_dump_is_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    client
        .query("CREATE TABLE t AS SELECT 'in the log' AS a", json!([]))
        .await
        .rows();
    let dump = client.post("/dump", "").await;
    assert_eq!(dump.status, 200);
    let copy = folder.path().join("copy.sqlite");
    std::fs::write(&copy, &dump.body).unwrap();
    let copy = rusqlite::Connection::open(copy).unwrap();
    assert_eq!(
        copy.query_row("SELECT a FROM t", [], |row| row.get::<_, String>(0))
            .unwrap(),
        "in the log"
    );
    server.close().await;
}

#[tokio::test]
async fn closing_answers_what_was_asked_and_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let mut client = Client::of(&server).await;
    client.query("CREATE TABLE t (a)", json!([])).await.rows();
    client.query("SELECT * FROM t", json!([])).await.rows();
    client.query("INSERT INTO t VALUES (1)", json!([])).await.rows();
    let mut endless = Client::of(&server).await;
    let sql = "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    let endless = tokio::spawn(async move { endless.query(sql, json!([])).await });
    // It has begun once nobody else may write.
    let other = rusqlite::Connection::open(server.folder().join("DB.sqlite")).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    while other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(other);
    server.close().await;
    let stopped = endless.await.unwrap().error();
    assert_eq!(
        stopped,
        "the statements were stopped because the database is closing: SQLITE_INTERRUPT"
    );
    assert!(!server.socket().exists());
    let files: Vec<_> = std::fs::read_dir(server.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["DB.sqlite"]);
    server.close().await;

    let again = start(folder.path()).await;
    let mut client = Client::of(&again).await;
    assert_eq!(client.query("SELECT a FROM t", json!([])).await.rows(), json!([[1]]));
    assert_eq!(
        client.query("SELECT last_insert_rowid()", Value::Null).await.rows(),
        json!([[0]])
    );
    again.close().await;
}
