//! Admin routes and those of the inspector: calls that may be repeated are, while the server cannot be reached.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::net::TcpStream;

use crate::admin_address::AdminAddress;
use crate::error::ClientError;
use crate::frame::ErrorBody;
use crate::tls::Tls;
use crate::value::parse_json;

/// Longest answer, bytes.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(180);

/// How long the way to a server may take.
const CONNECT_TIME: Duration = Duration::from_secs(20);

/// Pauses before each new try: about twelve seconds in all, which a restart of a server fits into.
const PAUSES: [u64; 6] = [100, 300, 800, 1_600, 3_200, 6_400];

/// What may be otherwise a moment later.
const TRANSIENT: [&str; 6] = [
    "RELOADED",
    "RELOADING",
    "SHARD_ERROR",
    "SHARD_TIMEOUT",
    "SHARD_UNAVAILABLE",
    "WORKER_UNAVAILABLE",
];

/// What the names of admin routes are below.
const ADMIN_ROUTES: &str = "/_lunora/admin/";

/// What the names of the inspector's routes are below.
const INSPECTOR_ROUTES: &str = "/api/";

/// Asks admin routes of one server, or an inspector, one call at a time over a kept connection.
pub struct AdminClient {
    address: AdminAddress,
    routes: &'static str,
    authorization: HeaderValue,
    tls: Option<Tls>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

#[derive(Deserialize)]
struct Failure {
    error: ErrorBody,
}

impl AdminClient {
    /// Nothing is connected yet. `extra_roots` is a PEM file of certificates that are trusted as well as the usual ones.
    ///
    /// # Errors
    /// For a token that cannot be sent, and for certificates that cannot be read.
    pub fn new(address: AdminAddress, token: &str, extra_roots: Option<&Path>) -> Result<Self, ClientError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| ClientError::Network("the admin token has characters that no header can carry".to_owned()))?;
        authorization.set_sensitive(true);
        let tls = address.is_secure().then(|| Tls::new(extra_roots)).transpose()?;
        Ok(Self {
            address,
            routes: ADMIN_ROUTES,
            authorization,
            tls,
            connection: None,
        })
    }

    /// The same for an inspector: names are below `/api/`.
    ///
    /// # Errors
    /// As [`AdminClient::new`].
    pub fn inspector(address: AdminAddress, token: &str) -> Result<Self, ClientError> {
        Ok(Self {
            routes: INSPECTOR_ROUTES,
            ..Self::new(address, token, None)?
        })
    }

    /// Whom it asks.
    #[must_use]
    pub fn address(&self) -> &AdminAddress {
        &self.address
    }

    /// Reads what is under this name.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn get(&mut self, name: &str) -> Result<Json, ClientError> {
        json(&self.ask(&Method::GET, name, "application/json", &Bytes::new()).await?)
    }

    /// Reads what is under this name, whatever it is.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn get_bytes(&mut self, name: &str) -> Result<Bytes, ClientError> {
        self.ask(&Method::GET, name, "application/json", &Bytes::new()).await
    }

    /// Reads what is under this name, with a query of these pairs.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn get_with(&mut self, name: &str, query: &[(&str, &str)]) -> Result<Json, ClientError> {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        self.get(&format!("{name}?{query}")).await
    }

    /// Reads what is under this name, and does not try again.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn get_once(&mut self, name: &str) -> Result<Json, ClientError> {
        let nothing = Bytes::new();
        json(&self.try_once(&Method::GET, name, "application/json", &nothing).await?)
    }

    /// Posts JSON; the answer is JSON.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn post(&mut self, name: &str, body: &Json) -> Result<Json, ClientError> {
        json(&self.post_for_bytes(name, body).await?)
    }

    /// Posts JSON that may not arrive twice; the answer is JSON. After [`ClientError::Network`] nobody knows whether it
    /// took effect.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn post_once(&mut self, name: &str, body: &Json) -> Result<Json, ClientError> {
        let body = Bytes::from(body.to_string());
        json(&self.try_once(&Method::POST, name, "application/json", &body).await?)
    }

    /// Posts JSON; the answer is whatever it is.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn post_for_bytes(&mut self, name: &str, body: &Json) -> Result<Bytes, ClientError> {
        let body = Bytes::from(body.to_string());
        self.ask(&Method::POST, name, "application/json", &body).await
    }

    /// Posts lines of JSON; the answer is JSON.
    ///
    /// # Errors
    /// What the server refused, and what kept it from being reached.
    pub async fn post_lines(&mut self, name: &str, lines: Bytes) -> Result<Json, ClientError> {
        json(&self.ask(&Method::POST, name, "application/x-ndjson", &lines).await?)
    }

    async fn ask(&mut self, method: &Method, name: &str, kind: &str, body: &Bytes) -> Result<Bytes, ClientError> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.try_once(method, name, kind, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_pass = match &error {
                ClientError::Network(_) => true,
                ClientError::Refused(body) => TRANSIENT.contains(&body.code.as_str()),
                _ => false,
            };
            match pauses.next() {
                Some(pause) if may_pass => tokio::time::sleep(Duration::from_millis(*pause)).await,
                _ => return Err(error),
            }
        }
    }

    async fn try_once(&mut self, method: &Method, name: &str, kind: &str, body: &Bytes) -> Result<Bytes, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{name}", self.routes))
            .header(HOST, self.address.authority())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, kind)
            .body(Full::new(body.clone()))
            .map_err(network)?;
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_ready() => connection,
            _ => self.connect().await?,
        };
        let exchange = async {
            let response = connection.send_request(request).await.map_err(network)?;
            let status = response.status();
            let limited = Limited::new(response.into_body(), ANSWER_BYTES);
            let body = limited.collect().await.map_err(network)?.to_bytes();
            Ok::<_, ClientError>((status, body))
        };
        let (status, body) = tokio::time::timeout(ANSWER_TIME, exchange)
            .await
            .map_err(|_| network("the server did not answer in time"))??;
        self.connection = Some(connection);
        if status.is_success() {
            return Ok(body);
        }
        Err(refusal(status, &body))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let connecting = async {
            let stream = TcpStream::connect(self.address.authority()).await.map_err(network)?;
            stream.set_nodelay(true).map_err(network)?;
            match &self.tls {
                None => {
                    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(network)?;
                    // Its failure is what the next request on `sender` reports.
                    tokio::spawn(connection);
                    Ok(sender)
                }
                Some(tls) => {
                    let stream = tls.connect(self.address.certificate_name(), stream).await?;
                    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(network)?;
                    tokio::spawn(connection);
                    Ok(sender)
                }
            }
        };
        tokio::time::timeout(CONNECT_TIME, connecting)
            .await
            .map_err(|_| network("the server could not be connected to in time"))?
    }
}

fn json(body: &Bytes) -> Result<Json, ClientError> {
    let text = std::str::from_utf8(body).map_err(|error| ClientError::Answer(error.to_string()))?;
    Ok(parse_json(text)?)
}

fn refusal(status: StatusCode, body: &Bytes) -> ClientError {
    match serde_json::from_slice::<Failure>(body) {
        Ok(failure) => failure.error.into(),
        // A proxy in front has its own pages for a server that is not there.
        Err(_) if status.is_server_error() => ClientError::Network(format!("the answer is {status}")),
        Err(_) => ClientError::Answer(format!("it is {status} without a code")),
    }
}

fn network(error: impl std::fmt::Display) -> ClientError {
    ClientError::Network(error.to_string())
}
