//! Who may talk to the inspector.
//!
//! Any page in the developer's browser can send requests to loopback, and the inspector holds what nobody else's
//! page may read. What keeps such pages out, each check for itself:
//!
//! - `Host` names the address and port that is listened on, byte for byte. A page of `evil.test` whose name turns into
//!   127.0.0.1 (DNS rebinding) is of the inspector's origin for the browser, but still says `evil.test`. `localhost` is
//!   not accepted either: apps are served there, and a page of another site never shares a process with this one.
//! - `Sec-Fetch-Site`, which no page can set, says who asks: the inspector's own page, or the user.
//! - `Origin`, where there is one, is the inspector's own.
//! - The token of the run is asked for by everything but the page itself, which holds no data.
//! - Nothing but `GET`, `HEAD` and `POST`; a `POST` says that it carries JSON, which no form of another page can.
//!
//! All of it is decided from the head of a request, and what is not allowed is refused.

mod refusal;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Version};

use crate::tickets::Tickets;
use crate::token::Token;

pub use refusal::Refusal;

/// Everything below needs the token.
pub const API_PREFIX: &str = "/api";
/// Name of the protocol of the feed.
pub const FEED_PROTOCOL: &str = "lunora.inspector";
/// How a WebSocket of a browser, which can set no headers, carries the token: as a subprotocol that begins so.
const PROTOCOL_TOKEN: &str = "token.";

/// The checks of one run.
#[derive(Debug)]
pub struct Guard {
    /// What `Host` may say.
    hosts: [String; 2],
    token: Token,
    tickets: Tickets,
}

impl Guard {
    /// A guard of what listens on `port` of 127.0.0.1 and `::1`.
    #[must_use]
    pub fn new(port: u16, token: Token) -> Self {
        // Browsers leave the default port out.
        let port = if port == 80 { String::new() } else { format!(":{port}") };
        Self {
            hosts: [format!("127.0.0.1{port}"), format!("[::1]{port}")],
            tickets: Tickets::new(token.expose()),
            token,
        }
    }

    /// Whether a request with this head goes on.
    ///
    /// # Errors
    /// With the first reason why it does not.
    pub fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let host = self.host(head)?;
        came_from_here(&head.headers)?;
        own_origin(&head.headers, host)?;
        method(head)?;
        let (path, query) = (head.uri.path(), head.uri.query());
        if !needs_token(path) || head.method == Method::GET && self.tickets.admits(path, query) {
            return Ok(());
        }
        self.token(&head.headers)
    }

    /// Those that it lets in.
    #[must_use]
    pub const fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// Where the inspector's page is, without its token: `http://127.0.0.1:4000`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.hosts[0])
    }

    fn host(&self, head: &Parts) -> Result<&str, Refusal> {
        // `GET http://other/` names a second host, and HTTP/2 names none in a header: neither has a use here.
        let is_plain = head.uri.scheme().is_none() && head.uri.authority().is_none();
        if !is_plain || !matches!(head.version, Version::HTTP_10 | Version::HTTP_11) {
            return Err(Refusal::Host);
        }
        let given = only(&head.headers, &HOST).ok_or(Refusal::Host)?;
        let found = self.hosts.iter().find(|host| host.as_bytes() == given.as_bytes());
        found.map(String::as_str).ok_or(Refusal::Host)
    }

    fn token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = match headers.contains_key(AUTHORIZATION) {
            true => only(headers, &AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")),
            false => protocol_token(headers),
        };
        match given {
            Some(given) if self.token.is(given) => Ok(()),
            Some(_) => Err(Refusal::Token),
            None => Err(Refusal::NoToken),
        }
    }
}

/// The page and what it is made of are the same for everybody and tell nothing; anything else is data.
#[must_use]
pub fn needs_token(path: &str) -> bool {
    match path.strip_prefix(API_PREFIX) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

fn came_from_here(headers: &HeaderMap) -> Result<(), Refusal> {
    if !headers.contains_key("sec-fetch-site") {
        // Programs other than browsers send none.
        return Ok(());
    }
    let mut given = headers.get_all("sec-fetch-site").iter();
    match (given.next().map(HeaderValue::as_bytes), given.next()) {
        (Some(b"same-origin" | b"none"), None) => Ok(()),
        _ => Err(Refusal::Site),
    }
}

fn own_origin(headers: &HeaderMap, host: &str) -> Result<(), Refusal> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    match only(headers, &ORIGIN).and_then(|origin| origin.as_bytes().strip_prefix(b"http://")) {
        Some(origin) if origin == host.as_bytes() => Ok(()),
        _ => Err(Refusal::Origin),
    }
}

fn method(head: &Parts) -> Result<(), Refusal> {
    match head.method {
        Method::GET | Method::HEAD => Ok(()),
        Method::POST if is_json(&head.headers) => Ok(()),
        Method::POST => Err(Refusal::ContentType),
        _ => Err(Refusal::Method),
    }
}

/// `application/json`, and of parameters at most the one character set that JSON has.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = only(headers, &CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let (kind, parameter) = match value.split_once(';') {
        Some((kind, parameter)) => (kind, Some(parameter.trim())),
        None => (value, None),
    };
    kind.trim().eq_ignore_ascii_case("application/json")
        && parameter.is_none_or(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}

/// The token among the subprotocols, when there is exactly one.
fn protocol_token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut tokens = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|protocol| protocol.trim_ascii().strip_prefix(PROTOCOL_TOKEN.as_bytes()));
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Some(token),
        _ => None,
    }
}

/// The value of a header that must stand exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
