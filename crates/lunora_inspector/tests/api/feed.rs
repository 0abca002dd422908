//! The timeline as it grows, over a WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use lunora_inspector::timeline::Limits;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::numbers;
use crate::support::{Running, conforms, sample, start};

type Feed = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn feed(running: &Running) -> Feed {
    let mut request = format!("ws://{}/api/feed", running.authority)
        .into_client_request()
        .unwrap();
    let protocols = format!("lunora.inspector, token.{}", running.token);
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_str(&protocols).unwrap());
    let (feed, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "lunora.inspector");
    feed
}

async fn frame(feed: &mut Feed) -> Value {
    let message = tokio::time::timeout(Duration::from_secs(20), feed.next())
        .await
        .unwrap();
    match message.unwrap().unwrap() {
        Message::Text(text) => {
            let value = serde_json::from_str(&text).unwrap();
            conforms("FeedFrame", &value);
            value
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_feed_follows_and_filters() {
    let running = start(None, Limits::default()).await;
    running.tell(&sample()).await;
    let mut feed = feed(&running).await;
    feed.send(Message::text(json!({ "after": 4 }).to_string()))
        .await
        .unwrap();
    let first = frame(&mut feed).await;
    assert_eq!((numbers(&first), &first["next"]), (vec![5, 6], &json!(6)));
    assert_eq!(running.tell(&sample()).await.status, 200);
    assert_eq!(numbers(&frame(&mut feed).await), [7, 8, 9, 10, 11, 12]);
    let wanted = json!({ "after": 0, "types": ["poke"], "object": "rooms:1" });
    feed.send(Message::text(wanted.to_string())).await.unwrap();
    assert_eq!(numbers(&frame(&mut feed).await), [5, 11]);
    // What was dropped is told whatever is asked for.
    running
        .tell_text("{}\n{\"type\":\"dropped\",\"at\":1,\"count\":3}\nnonsense")
        .await;
    let told = frame(&mut feed).await;
    let counts: Vec<&Value> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["count"])
        .collect();
    assert_eq!((numbers(&told), counts), (vec![13, 14], vec![&json!(3), &json!(1)]));
    // Many at once come in frames of a bounded size, each event once.
    let many: Vec<Value> = (0..1_500)
        .map(|at| json!({ "type": "poke", "at": at, "object": "rooms:1" }))
        .collect();
    running.tell(&many).await;
    let mut read = Vec::new();
    while read.len() < many.len() {
        let page = frame(&mut feed).await;
        assert!(numbers(&page).len() <= 500);
        read.extend(numbers(&page));
    }
    assert_eq!(read, (15..1_515).collect::<Vec<u64>>());
    running.inspector.close().await;
    let end = tokio::time::timeout(Duration::from_secs(20), feed.next())
        .await
        .unwrap();
    assert!(matches!(end, None | Some(Ok(Message::Close(_)) | Err(_))), "{end:?}");
}

#[tokio::test]
async fn a_reader_that_fell_behind_is_told_how_far() {
    let limits = Limits {
        entries: 10,
        bytes: 1 << 20,
    };
    let running = start(None, limits).await;
    running
        .tell(&(0..30).map(|at| json!({ "type": "log", "at": at })).collect::<Vec<_>>())
        .await;
    let mut feed = feed(&running).await;
    feed.send(Message::text(json!({ "after": 5 }).to_string()))
        .await
        .unwrap();
    assert_eq!(frame(&mut feed).await, json!({ "lagged": 15 }));
    assert_eq!(numbers(&frame(&mut feed).await), (21..=30).collect::<Vec<u64>>());
}

#[tokio::test]
async fn what_a_reader_says_wrongly_ends_its_feed_with_a_code() {
    let running = start(None, Limits::default()).await;
    for wrong in [
        "",
        "[]",
        "[1]",
        "{}",
        "{\"after\":-1}",
        "{\"after\":\"1\"}",
        "{\"after\":1,\"x\":1}",
        "{\"after\":1,\"types\":\"a\"}",
    ] {
        let mut feed = feed(&running).await;
        feed.send(Message::text(wrong)).await.unwrap();
        assert_eq!(frame(&mut feed).await["error"]["code"], "BAD_REQUEST", "{wrong}");
        assert!(matches!(feed.next().await, Some(Ok(Message::Close(_)))), "{wrong}");
    }
    let plain = running.get("/api/feed").await;
    assert_eq!((plain.status, plain.code().as_str()), (400, "BAD_REQUEST"));
}
