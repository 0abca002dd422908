//! The inspector's feed: what happens in development, as it happens.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::admin_address::AdminAddress;
use crate::error::ClientError;
use crate::value::parse_json;

/// Subprotocol that both sides name.
const SUBPROTOCOL: &str = "lunora.inspector";

/// Start of the subprotocol that carries the token.
const TOKEN_PREFIX: &str = "token.";

/// An open feed.
pub struct InspectorFeed {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl InspectorFeed {
    /// Opens the feed and says what is wanted of it.
    ///
    /// # Errors
    /// When the inspector cannot be reached or refuses the upgrade.
    pub async fn connect(address: &AdminAddress, token: &str, wanted: &Json) -> Result<Self, ClientError> {
        let mut request = format!("ws://{}/api/feed", address.authority())
            .into_client_request()
            .map_err(network)?;
        let mut offered = HeaderValue::from_str(&format!("{SUBPROTOCOL}, {TOKEN_PREFIX}{token}")).map_err(network)?;
        offered.set_sensitive(true);
        request.headers_mut().insert("sec-websocket-protocol", offered);
        let (mut stream, _) = connect_async(request).await.map_err(|error| match error {
            // It is there, and will say the same again.
            Error::Http(response) => ClientError::Answer(format!("the feed was refused with {}", response.status())),
            other => network(other),
        })?;
        stream.send(Message::text(wanted.to_string())).await.map_err(network)?;
        Ok(Self { stream })
    }

    /// Waits for the next frame; `None` when the inspector has closed the feed. Safe to drop half-way.
    ///
    /// # Errors
    /// When the connection broke, or what came is not JSON.
    pub async fn next(&mut self) -> Result<Option<Json>, ClientError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(parse_json(&text)?)),
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                // Answered by the library.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(network(error)),
            }
        }
    }
}

fn network(error: impl std::fmt::Display) -> ClientError {
    ClientError::Network(error.to_string())
}
