//! The client over real sockets, against a peer that follows a script: what no healthy server does can
//! be played here.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use lunora_client::frame::{ClientFrame, PONG, parse_client_frame};
use lunora_client::value::{Value, object};
use lunora_client::{CallOptions, Client, ClientError, ClientOptions, RpcClient, ServerAddress};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

struct Peer {
    listener: TcpListener,
}

impl Peer {
    async fn listen() -> (Self, ServerAddress) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener }, ServerAddress::parse(&address).unwrap())
    }

    /// The next connection, the path and the subprotocols it asked for.
    async fn accept(&self) -> (Conversation, String, String) {
        let (stream, _) = self.listener.accept().await.unwrap();
        let (mut path, mut offered) = (String::new(), String::new());
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let answer = |request: &Request, mut response: Response| {
            path = request.uri().to_string();
            offered = request.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
            response
                .headers_mut()
                .insert("sec-websocket-protocol", "lunora".parse().unwrap());
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, answer).await.unwrap();
        (Conversation { socket }, path, offered)
    }

    /// A connection that was greeted with a watermark.
    async fn greet(&self, watermark: u64) -> Conversation {
        let (mut conversation, ..) = self.accept().await;
        assert!(matches!(conversation.hear().await, ClientFrame::Connect { .. }));
        conversation
            .say(json!({ "type": "ack", "id": "c1", "lastMutationId": watermark, "cursor": 0, "epoch": "e" }))
            .await;
        conversation
    }
}

struct Conversation {
    socket: WebSocketStream<TcpStream>,
}

impl Conversation {
    async fn hear(&mut self) -> ClientFrame {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) if text.as_str() == "lunora-ping" => {
                    self.socket.send(Message::text(PONG)).await.unwrap();
                }
                Message::Text(text) => return parse_client_frame(&text).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn say(&mut self, frame: Json) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn push(&mut self) -> Vec<u64> {
        match self.hear().await {
            ClientFrame::Push { entries, .. } => entries.iter().map(|entry| entry.client_seq).collect(),
            other => panic!("{other:?}"),
        }
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "because".into(),
        };
        self.socket.close(Some(frame)).await.unwrap();
        // Until the other side has seen it.
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

fn client(address: &ServerAddress) -> Client {
    Client::start(ClientOptions {
        address: address.clone(),
        shard: "channelId=a%2Fb".to_owned(),
        client_id: "me".to_owned(),
        token: Arc::new(|| Some("t".to_owned())),
    })
}

fn no_arguments() -> Value {
    Value::Object(Vec::new())
}

#[tokio::test]
async fn it_says_who_it_is_where_no_log_keeps_it() {
    let (peer, address) = Peer::listen().await;
    let _client = client(&address);
    let (_, path, offered) = peer.accept().await;
    assert_eq!(path, "/_lunora/ws?shard=channelId%3Da%252Fb");
    assert_eq!(offered, "lunora, lunora.bearer.dA");
}

#[tokio::test]
async fn a_mutation_survives_a_broken_connection() {
    let (peer, address) = Peer::listen().await;
    let client = client(&address);
    let calling = tokio::spawn(async move { client.mutate("a:b", &object([("n", 1.0)])).await });
    let mut first = peer.greet(0).await;
    assert_eq!(first.push().await, [1]);
    drop(first);
    let mut second = peer.greet(1).await;
    assert_eq!(second.push().await, [1]);
    let result = json!(["$lunora.wire$", "bigint", "5"]);
    second
        .say(json!({ "type": "ack", "id": "p", "results": [{ "clientSeq": 1, "result": result }] }))
        .await;
    assert_eq!(calling.await.unwrap().unwrap(), Value::BigInt(5.into()));
}

#[tokio::test]
async fn queries_and_shapes_are_resumed_after_a_reload() {
    let (peer, address) = Peer::listen().await;
    let client = client(&address);
    let mut query = client.subscribe("a:list", &no_arguments()).unwrap();
    let mut shape = client.subscribe_shape("inbox", &no_arguments()).unwrap();
    let mut first = peer.greet(0).await;
    let (ClientFrame::Subscribe { id, .. }, ClientFrame::ShapeSubscribe { id: shape_id, .. }) =
        (first.hear().await, first.hear().await)
    else {
        panic!("both are subscribed to")
    };
    first
        .say(json!({ "type": "data", "id": id, "data": "one", "cursor": 4, "epoch": "e" }))
        .await;
    assert_eq!(*query.changed().await.unwrap(), Value::from("one"));
    let row = json!({ "op": "insert", "key": "k", "table": "t", "value": { "_id": "k" } });
    let frames = json!([
        { "type": "pokeStart", "pokeId": "1", "epoch": "e" },
        { "type": "pokePart", "pokeId": "1", "shapeId": shape_id, "reset": true, "rowsPatch": [row] },
        { "type": "pokeEnd", "pokeId": "1", "checkpoint": 4, "epoch": "e" },
    ]);
    first.say(json!({ "type": "batch", "frames": frames })).await;
    assert_eq!(shape.changed().await.unwrap().rows().len(), 1);
    first.close(1012).await;

    let mut second = peer.greet(0).await;
    match second.hear().await {
        ClientFrame::Subscribe { query, .. } => assert_eq!(query.since_seq, Some(4)),
        other => panic!("{other:?}"),
    }
    match second.hear().await {
        ClientFrame::ShapeSubscribe { since_checkpoint, .. } => assert_eq!(since_checkpoint, Some(4)),
        other => panic!("{other:?}"),
    }
    drop(query);
    match second.hear().await {
        ClientFrame::Unsubscribe { id: ended } => assert_eq!(ended, id),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_expired_token_is_asked_for_again_and_a_refused_one_is_not_tried_twice() {
    let (peer, address) = Peer::listen().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let client = Client::start(ClientOptions {
        address,
        shard: "__root__".to_owned(),
        client_id: "me".to_owned(),
        token: Arc::new(move || Some(format!("token {}", count.fetch_add(1, Ordering::SeqCst)))),
    });
    let calling = tokio::spawn(async move { client.mutate("a:b", &no_arguments()).await });
    let first = peer.greet(0).await;
    first.close(4001).await;
    // A new token: the mutation goes on with it.
    let mut second = peer.greet(0).await;
    second.push().await;
    second.close(4401).await;
    let refused = calling.await.unwrap().unwrap_err();
    assert!(matches!(refused, ClientError::Closed { code: 4401, .. }), "{refused:?}");
    assert_eq!(refused.code(), "UNAUTHORIZED");
}

#[tokio::test]
async fn what_the_server_says_before_it_closes_is_the_reason() {
    let (peer, address) = Peer::listen().await;
    let client = client(&address);
    let calling = tokio::spawn(async move { client.mutate("a:b", &no_arguments()).await });
    let mut conversation = peer.greet(0).await;
    conversation.push().await;
    conversation
        .say(json!({ "type": "error", "error": { "code": "FRAME_MALFORMED", "message": "no" } }))
        .await;
    conversation.close(1008).await;
    assert_eq!(calling.await.unwrap().unwrap_err().code(), "FRAME_MALFORMED");
}

#[tokio::test]
async fn the_actor_ends_with_its_last_handle() {
    let (peer, address) = Peer::listen().await;
    let client = client(&address);
    let mut conversation = peer.greet(0).await;
    drop(client);
    let goodbye = loop {
        match conversation.socket.next().await {
            Some(Ok(Message::Text(_))) => {}
            other => break other,
        }
    };
    assert!(matches!(goodbye, Some(Ok(Message::Close(_)))), "{goodbye:?}");
}

mod rpc {
    use super::*;

    /// Answers each request on one connection, and tells what it was asked.
    async fn serve(peer: Peer, answers: Vec<String>) -> Vec<String> {
        let (mut stream, _) = peer.listener.accept().await.unwrap();
        let mut asked = Vec::new();
        for body in answers {
            let mut request = String::new();
            let mut buffer = [0; 4096];
            while !request.contains("\"args\"") {
                let length = stream.read(&mut buffer).await.unwrap();
                request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            asked.push(request);
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    }

    #[tokio::test]
    async fn calls_share_a_connection_and_answers_are_decoded() {
        let (peer, address) = Peer::listen().await;
        let answers = [
            json!({ "result": ["$lunora.wire$", "date", 5], "commitCursor": 3 }),
            json!({ "error": { "code": "NOT_FOUND", "message": "no", "hint": "look" } }),
            json!({}),
            json!([]),
        ];
        let serving = tokio::spawn(serve(peer, answers.iter().map(ToString::to_string).collect()));
        let mut client = RpcClient::new(address);
        let options = CallOptions {
            token: Some("t".to_owned()),
            mutation_id: Some("m".to_owned()),
            shard_key: Some("general".to_owned()),
        };
        let answer = client.call("a:b", &no_arguments(), &options).await.unwrap();
        assert_eq!((answer.result, answer.commit_cursor), (Value::Date(5.0), Some(3)));
        let refused = client.call("a:b", &no_arguments(), &CallOptions::default()).await;
        assert_eq!(refused.unwrap_err().code(), "NOT_FOUND");
        let nothing = client.call("a:b", &no_arguments(), &CallOptions::default()).await;
        assert_eq!(nothing.unwrap().result, Value::Undefined);
        let unreadable = client.call("a:b", &no_arguments(), &CallOptions::default()).await;
        assert_eq!(unreadable.unwrap_err().code(), "INTERNAL");
        let asked = serving.await.unwrap();
        for part in [
            "POST /_lunora/rpc",
            "authorization: Bearer t",
            "x-lunora-mutation-id: m",
            r#""shardKey":"general""#,
        ] {
            assert!(asked[0].contains(part), "{part} in {}", asked[0]);
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_said_so() {
        let (peer, address) = Peer::listen().await;
        drop(peer);
        let mut client = RpcClient::new(address);
        let failed = client.call("a:b", &no_arguments(), &CallOptions::default()).await;
        assert_eq!(failed.unwrap_err().code(), "NETWORK_FAILED");
    }
}
