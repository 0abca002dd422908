//! Mutated heads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lunora_testing::Random;

use crate::mutator::{count_panics, exchange, mutated};
use crate::{CANARY, guarded};

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
                    // One byte is wrong in it, and may have been made right: then it opens, as it should.
                    if bytes.windows(token.len()).any(|window| window == token.as_bytes()) {
                        continue;
                    }
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
