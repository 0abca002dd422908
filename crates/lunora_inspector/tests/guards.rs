//! Nobody gets in over real sockets: wrong heads, paths that lead elsewhere, and what a mutator makes of right ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lunora_inspector::timeline::Limits;
use lunora_testing::Random;
use serde_json::json;
use support::{Running, raw, start, status_of_long_body};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Stands in everything that the inspector holds, and in nothing that it may give away.
const CANARY: &str = "canary-5f1e";

async fn guarded() -> Running {
    let running = start(None, Limits::default()).await;
    running
        .tell(&[json!({ "type": "log", "at": 1, "text": CANARY, "call": CANARY })])
        .await;
    let application = json!({ "jurisdiction": CANARY, "tables": [], "functions": [], "shapes": [], "drift": [] });
    let serde_json::Value::Object(application) = application else {
        panic!()
    };
    running.inspector.set_application(application);
    running
}

/// Panics of any thread since the test began.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        counter.fetch_add(1, Ordering::SeqCst);
        usual(information);
    }));
    count
}

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

/// Paths that have made servers read what they should not, and spellings of the API that a guard might not see.
const PATHS: [&str; 40] = [
    "/%61pi/status",
    "//api/status",
    "/./api/status",
    "/x/../api/status",
    "/api%2fstatus",
    "/API/status",
    "/api;/status",
    "/.lunora/inspector.json",
    "/../.lunora/inspector.json",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/..\\..\\etc\\passwd",
    "/..%5c..%5cetc%5cpasswd",
    "/assets/../../../Cargo.toml",
    "/assets/..%2f..%2fCargo.toml",
    "/@fs/etc/passwd",
    "/@fs/etc/passwd?raw",
    "/@fs/etc/passwd?raw??",
    "/@fs/etc/passwd?import&raw??",
    "/@fs/etc/passwd?.svg?.wasm?init",
    "/@fs/etc/passwd?import&?inline=1.wasm?init",
    "/@fs/x/x/x/vite/../../../../../etc/passwd",
    "/@fs//etc/passwd",
    "/@fs/C://windows/win.ini",
    "/@id/__x00__/etc/passwd",
    "/@vite/client",
    "/etc/passwd?url",
    "/file:///etc/passwd",
    "/.env",
    "/.git/config",
    "/index.html%00.js",
    "/index.html%2f..%2f..",
    "/....//....//etc/passwd",
    "/%c0%ae%c0%ae/etc/passwd",
    "/%252e%252e/etc/passwd",
    "/..;/etc/passwd",
    "/?/../etc/passwd",
    "/__open-in-editor?file=/etc/passwd",
    "/__lunora/",
    "/_lunora/admin/info",
];

#[tokio::test]
async fn no_path_leads_around() {
    let running = guarded().await;
    for path in PATHS {
        let answer = running.ask(&format!("GET {path}"), &[], "").await;
        let text = String::from_utf8_lossy(&answer.body);
        let secrets = [CANARY, "root:", "[workspace]", &running.token];
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{path}: {answer:?}"
        );
        let is_page = answer
            .header("content-type")
            .is_some_and(|value| value.starts_with("text/html"));
        assert!(is_page || answer.status >= 400, "{path}: {answer:?}");
    }
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

/// What a mutator puts into a head.
const PIECES: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\r\n\r\n",
    b"\r\n ",
    b":",
    b"host: evil.test\r\n",
    b"Host: 127.0.0.1\r\n",
    b"origin: http://evil.test\r\n",
    b"origin: null\r\n",
    b"sec-fetch-site: cross-site\r\n",
    b"content-length: 5\r\n",
    b"content-length: -1\r\n",
    b"content-length: 99999999999999999999\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked, identity\r\n",
    b"expect: 100-continue\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    b"upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\nconnection: upgrade, http2-settings\r\n",
    b"sec-websocket-protocol: token.\r\n",
    b"authorization: Bearer \r\n",
    b"authorization: Bearer undefined\r\n",
    b"cookie: token=1\r\n",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://127.0.0.1/api/status HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"CONNECT evil.test:80 HTTP/1.1\r\n",
    b"/api/events",
    b"/api/app?",
    b"../",
    b"%2e%2e%2f",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"#",
];

fn mutated(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next_u64() as u8,
            2 => {
                let piece = *random.pick(&PIECES);
                bytes.splice(at..at, piece.iter().copied());
            }
            3 => {
                let end = (at + random.below(12)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.below(40)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            5 if random.one_in(4) => bytes.truncate(at),
            _ => {
                // At the beginning of a line, where most of what matters is.
                let lines: Vec<usize> = (2..bytes.len()).filter(|at| bytes[at - 2..*at] == *b"\r\n").collect();
                if !lines.is_empty() {
                    let at = *random.pick(&lines);
                    bytes.splice(at..at, random.pick(&PIECES).iter().copied());
                }
            }
        }
    }
    bytes
}

/// Sends the bytes and reads until the server ends the connection, or has nothing to say to half a head.
async fn exchange(authority: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    // A reset at the end leaves no port behind that waits.
    stream.set_zero_linger().unwrap();
    // The server may have ended it before everything was sent.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    drop(
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
            .await
            .unwrap(),
    );
    answer
}

/// Statuses of all answers of a connection.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let starts = answer
        .windows(9)
        .enumerate()
        .filter(|(_, window)| window.starts_with(b"HTTP/1."));
    starts
        .filter_map(|(at, _)| std::str::from_utf8(answer.get(at + 9..at + 12)?).ok()?.parse().ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_mutated_heads_open_nothing() {
    let panics = count_panics();
    let running = guarded().await;
    let mut random = Random::from_environment("a_hundred_thousand_mutated_heads_open_nothing", 11);
    let mut almost = running.token.clone().into_bytes();
    almost[20] = if almost[20] == b'A' { b'B' } else { b'A' };
    let almost = String::from_utf8(almost).unwrap();
    let authority = running.authority.clone();
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n{more}\r\n").into_bytes()
    };
    let bases = Arc::new(vec![
        head("GET /api/status", ""),
        head(
            "GET /api/events?after=0",
            &format!("authorization: Bearer {almost}\r\n"),
        ),
        head(
            "GET /api/app",
            "authorization: Bearer\r\nsec-fetch-site: same-origin\r\n",
        ),
        head("HEAD /api/trace?call=a", &format!("origin: http://{authority}\r\n")),
        head(
            "POST /api/inspect/rows",
            "content-type: application/json\r\ncontent-length: 0\r\n",
        ),
        head("GET /api/mail/a1/html?ticket=00", ""),
        head("GET /shards/rooms", "accept-encoding: gzip\r\n"),
        head(
            "GET /api/feed",
            &format!(
                "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: lunora.inspector, token.{almost}\r\n"
            ),
        ),
    ]);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (mut random, bases, authority) = (random.fork(), bases.clone(), authority.clone());
            let token = running.token.clone();
            tokio::spawn(async move {
                let mut answered = 0;
                for _ in 0..12_500 {
                    let base = random.pick(&bases).clone();
                    let bytes = mutated(&mut random, base);
                    let answer = exchange(&authority, &bytes).await;
                    let shown = || {
                        (
                            String::from_utf8_lossy(&bytes).into_owned(),
                            String::from_utf8_lossy(&answer).into_owned(),
                        )
                    };
                    let text = String::from_utf8_lossy(&answer);
                    assert!(!text.contains(CANARY) && !text.contains(&token), "{:?}", shown());
                    let found = statuses(&answer);
                    answered += found.len();
                    // The page alone is anybody's, and holds nothing.
                    let is_page = text.contains("content-type: text/html");
                    assert!(
                        found.iter().all(|status| *status >= 400 || *status == 100 || is_page),
                        "{:?}",
                        shown()
                    );
                    assert!(!found.contains(&101), "{:?}", shown());
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += task.await.unwrap();
    }
    assert!(
        answered > 50_000,
        "only {answered} answers: the heads are too broken to test anything"
    );
    assert_eq!(running.get("/api/status").await.status, 200);
    assert_eq!(panics.load(Ordering::SeqCst), 0);
}

/// A frame of a client (RFC 6455, 5.2).
fn client_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_mutated_frames_harm_nobody() {
    let panics = count_panics();
    let running = guarded().await;
    let mut random = Random::from_environment("twenty_thousand_mutated_frames_harm_nobody", 12);
    let authority = running.authority.clone();
    let handshake = format!(
        "GET /api/feed HTTP/1.1\r\nhost: {authority}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: lunora.inspector, token.{}\r\n\r\n",
        running.token
    );
    let frames = Arc::new(vec![
        client_frame(1, br#"{"after":0}"#),
        client_frame(1, br#"{"after":1,"types":["log","call"],"object":"rooms:1"}"#),
        client_frame(1, br#"{"after":18446744073709551615}"#),
        client_frame(1, "{\"after\":0,\"types\":[\"é\"]}".as_bytes()),
        client_frame(1, &[b'x'; 20_000]),
        client_frame(2, b"\x00\x01"),
        client_frame(8, b"\x03\xe8bye"),
        client_frame(9, b"ping"),
        client_frame(10, b"pong"),
        client_frame(0, b"rest"),
    ]);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (mut random, frames) = (random.fork(), frames.clone());
            let (authority, handshake) = (authority.clone(), handshake.clone());
            tokio::spawn(async move {
                let mut opened = 0;
                for _ in 0..250 {
                    let mut bytes = handshake.clone().into_bytes();
                    for _ in 0..10 {
                        let frame = random.pick(&frames).clone();
                        bytes.extend(mutated(&mut random, frame));
                    }
                    let answer = exchange(&authority, &bytes).await;
                    opened += usize::from(answer.starts_with(b"HTTP/1.1 101"));
                }
                opened
            })
        })
        .collect();
    let mut opened = 0;
    for task in tasks {
        opened += task.await.unwrap();
    }
    assert_eq!(opened, 2_000);
    assert_eq!(panics.load(Ordering::SeqCst), 0);
    assert_eq!(running.get("/api/status").await.status, 200);
    assert!(running.tell(&[]).await.json()["isOpen"].is_boolean());
}
