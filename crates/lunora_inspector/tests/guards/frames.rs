//! Mutated WebSocket frames.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lunora_testing::Random;

use crate::guarded;
use crate::mutator::{count_panics, exchange, mutated};

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
    assert_eq!(running.tell(&[]).await.status, 200);
}
