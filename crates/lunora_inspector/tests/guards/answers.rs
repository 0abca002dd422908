//! What every answer has, and who gets none.

use tokio::net::TcpStream;

use crate::support::{raw, status_of_long_body};
use crate::{CANARY, guarded};

#[tokio::test]
async fn every_answer_is_sealed() {
    let running = guarded().await;
    let bearer = running.bearer();
    let answers = [
        ("the page", running.ask("GET /", &[], "").await),
        ("a deep link", running.ask("GET /shards/x", &[], "").await),
        (
            "a file that is not there",
            running.ask("GET /assets/x.js", &[], "").await,
        ),
        ("data", running.get("/api/status").await),
        ("events", running.get("/api/events").await),
        ("no token", running.ask("GET /api/status", &[], "").await),
        ("no route", running.get("/api/x").await),
        (
            "another method",
            running.ask("OPTIONS /api/status", &[&bearer], "").await,
        ),
        (
            "a wrong method",
            running
                .ask("POST /api/status", &[&bearer, "content-type: application/json"], "")
                .await,
        ),
        ("no feed", running.get("/api/feed").await),
        (
            "another origin",
            running
                .ask("GET /api/status", &[&bearer, "origin: http://evil.test"], "")
                .await,
        ),
    ];
    for (what, answer) in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{what}: {answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{what}");
        assert!(!answer.head.to_ascii_lowercase().contains("set-cookie"), "{what}");
        if answer.status >= 400 {
            assert!(!answer.code().is_empty(), "{what}");
        }
        let is_known = what == "data" || what == "events";
        assert_eq!(
            answer.status == 200 && String::from_utf8_lossy(&answer.body).contains(CANARY),
            is_known,
            "{what}"
        );
    }
}

#[tokio::test]
async fn both_addresses_are_guarded_for_themselves() {
    let running = guarded().await;
    let port = running.authority.rsplit(':').next().unwrap();
    let Ok(six) = TcpStream::connect(format!("[::1]:{port}")).await else {
        eprintln!("this machine has no IPv6");
        return;
    };
    let head = |host: &str| {
        format!(
            "GET /api/status HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{}\r\n\r\n",
            running.bearer()
        )
    };
    assert_eq!(raw(six, head(&format!("[::1]:{port}")).as_bytes()).await.status, 200);
    for host in [format!("localhost:{port}"), "[::1]".to_owned(), "evil.test".to_owned()] {
        let answer = raw(running.connect().await, head(&host).as_bytes()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "HOST_NOT_ALLOWED"),
            "{host}"
        );
    }
}

#[tokio::test]
async fn bodies_are_bounded_and_reads_have_none() {
    let running = guarded().await;
    let json = "content-type: application/json";
    let bearer = running.bearer();
    let head = format!(
        "POST /api/inspect/rows HTTP/1.1\r\nhost: {}\r\n{bearer}\r\n{json}",
        running.authority
    );
    let long = "x".repeat(3_000_000);
    assert_eq!(status_of_long_body(running.connect().await, &head, &long).await, "413");
    let with_body = running
        .ask("GET /api/status", &[&bearer, "content-length: 2"], "{}")
        .await;
    assert_eq!((with_body.status, with_body.code().as_str()), (400, "BAD_REQUEST"));
    let form = running
        .ask(
            "POST /api/inspect/rows",
            &[&bearer, "content-type: text/plain", "content-length: 2"],
            "{}",
        )
        .await;
    assert_eq!((form.status, form.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let huge = format!("x-long: {}", "x".repeat(64 * 1024));
    let answer = running.ask("GET /api/status", &[&bearer, &huge], "").await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn pages_of_other_sites_are_told_nothing() {
    let running = guarded().await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let protocols = format!("sec-websocket-protocol: lunora.inspector, token.{}", running.token);
    let bearer = running.bearer();
    for headers in [
        // A page that has somehow come by the token does not get in either.
        vec![bearer.as_str(), "sec-fetch-site: cross-site"],
        vec![bearer.as_str(), "sec-fetch-site: same-site"],
        vec![bearer.as_str(), "origin: http://localhost:5173"],
        vec![bearer.as_str(), "origin: null"],
        vec![protocols.as_str(), upgrade, "origin: http://localhost:5173"],
        vec![protocols.as_str(), upgrade, "sec-fetch-site: cross-site"],
        vec![upgrade],
        vec![upgrade, "sec-websocket-protocol: lunora.inspector"],
        vec![upgrade, "sec-websocket-protocol: lunora.inspector, token.x"],
        vec!["sec-fetch-site: none", "sec-fetch-mode: navigate"],
    ] {
        for path in ["/api/status", "/api/feed", "/api/events"] {
            let answer = running.ask(&format!("GET {path}"), &headers, "").await;
            assert!(matches!(answer.status, 401 | 403), "{path} {headers:?}: {answer:?}");
        }
    }
    // Nor is the page itself embedded by another site or reached by one of its links.
    assert_eq!(
        running.ask("GET /", &["sec-fetch-site: cross-site"], "").await.code(),
        "ORIGIN_NOT_ALLOWED"
    );
}
