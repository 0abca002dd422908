//! A server in a folder of its own, and a plain HTTP client of its socket.
#![allow(dead_code)]

pub mod workerd;

use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use lunora_d1::{D1Limits, D1Options, D1Server, DATABASE_HEADER};
use serde_json::{Value, json};
use tokio::net::UnixStream;

pub async fn start(folder: &Path) -> D1Server {
    start_with(folder, D1Limits::default()).await
}

pub async fn start_with(folder: &Path, limits: D1Limits) -> D1Server {
    let options = D1Options {
        limits,
        ..D1Options::new(folder.join("d1"))
    };
    D1Server::start(options).await.unwrap()
}

/// One connection, as one of workerd's.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    pub database: Bytes,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The text of a failure; panics for a success.
    pub fn error(&self) -> String {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }

    /// The rows of the first query; panics for a failure.
    pub fn rows(&self) -> Value {
        let body = self.json();
        assert_eq!(body[0]["success"], true, "{body}");
        body[0]["results"]["rows"].clone()
    }
}

impl Client {
    pub async fn of(server: &D1Server) -> Self {
        Self::connect(server.socket()).await.unwrap()
    }

    pub async fn connect(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            database: Bytes::from_static(b"DB"),
        })
    }

    /// Sends a request; an error is a connection that broke.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    pub fn request(&self, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let name = hyper::header::HeaderValue::from_maybe_shared(self.database.clone()).unwrap();
        Request::post(path)
            .header("host", "d1")
            .header(DATABASE_HEADER, name)
            .body(Full::new(body.into()))
            .unwrap()
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = self.request(path, body);
        self.send(request).await.unwrap()
    }

    /// One statement, answered with columns and rows.
    pub async fn query(&mut self, sql: &str, parameters: Value) -> Answer {
        let body = json!({ "sql": sql, "params": parameters });
        self.post("/query?resultsFormat=ROWS_AND_COLUMNS", body.to_string())
            .await
    }
}
