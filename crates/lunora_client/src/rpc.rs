//! Calls over HTTP: queries, mutations and actions, one at a time over a kept connection.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use crate::error::ClientError;
use crate::frame::ErrorBody;
use crate::server_address::ServerAddress;
use crate::value::{Value, decode, encode, parse_json};

/// What a call says beside its arguments.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// The bare shard value.
    pub shard_key: Option<String>,
    /// Names a mutation, so that repeating it has no second effect.
    pub mutation_id: Option<String>,
    /// Who calls.
    pub token: Option<String>,
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct CallAnswer {
    /// The function's result.
    pub result: Value,
    /// Position of the commit in the shard, for a mutation.
    pub commit_cursor: Option<u64>,
}

/// A connection to one server; made when it is needed, made again when it broke between calls.
#[derive(Debug)]
pub struct RpcClient {
    address: ServerAddress,
    connection: Option<SendRequest<Full<Bytes>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    result: Option<Json>,
    error: Option<ErrorBody>,
    commit_cursor: Option<u64>,
}

impl RpcClient {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(address: ServerAddress) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Calls `file:export` once: nothing is repeated, because only the caller knows whether it may be.
    ///
    /// # Errors
    /// What the function threw, and what kept it from being reached.
    pub async fn call(
        &mut self,
        function_path: &str,
        arguments: &Value,
        options: &CallOptions,
    ) -> Result<CallAnswer, ClientError> {
        let mut call = json!({ "functionPath": function_path, "args": encode(arguments)? });
        if let Some(shard_key) = &options.shard_key {
            call["shardKey"] = json!(shard_key);
        }
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/_lunora/rpc")
            .header(HOST, self.address.authority())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &options.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(mutation_id) = &options.mutation_id {
            request = request.header("x-lunora-mutation-id", mutation_id);
        }
        let request = request
            .body(Full::new(Bytes::from(call.to_string())))
            .map_err(|error| ClientError::Network(error.to_string()))?;
        answer(&self.send(request).await?)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes, ClientError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_ready() => connection,
            _ => self.connect().await?,
        };
        let response = connection.send_request(request).await.map_err(network)?;
        let body = response.into_body().collect().await.map_err(network)?.to_bytes();
        self.connection = Some(connection);
        Ok(body)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let stream = TcpStream::connect(self.address.authority()).await.map_err(network)?;
        stream.set_nodelay(true).map_err(network)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(network)?;
        // Its failure is what the next request on `sender` reports.
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn answer(body: &Bytes) -> Result<CallAnswer, ClientError> {
    let unreadable = |why: String| ClientError::Answer(why);
    let text = std::str::from_utf8(body).map_err(|error| unreadable(error.to_string()))?;
    let json = parse_json(text)?;
    if !json.is_object() {
        return Err(unreadable("it is no object".to_owned()));
    }
    let body: Body = serde_json::from_value(json).map_err(|error| unreadable(error.to_string()))?;
    match body.error {
        Some(error) => Err(error.into()),
        None => Ok(CallAnswer {
            result: body.result.as_ref().map_or(Ok(Value::Undefined), decode)?,
            commit_cursor: body.commit_cursor,
        }),
    }
}

fn network(error: impl std::fmt::Display) -> ClientError {
    ClientError::Network(error.to_string())
}
