//! What bytes become that were right, and what a server makes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lunora_testing::Random;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Panics of any thread since the test began.
pub(crate) fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        counter.fetch_add(1, Ordering::SeqCst);
        usual(information);
    }));
    count
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

pub(crate) fn mutated(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
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
pub(crate) async fn exchange(authority: &str, bytes: &[u8]) -> Vec<u8> {
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
