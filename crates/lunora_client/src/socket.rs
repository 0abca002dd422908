//! One WebSocket: frames in, frames out. It never connects again by itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::error::ClientError;
use crate::frame::{
    ClientFrame, FRAME_BYTES, PING, PONG, SUBPROTOCOL, ServerMessage, TOKEN_SUBPROTOCOL_PREFIX, parse_server_frame,
};
use crate::server_address::ServerAddress;

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// Frames.
    Message(ServerMessage),
    /// The answer to a keep-alive.
    Pong,
    /// The server closed it, with a code where it gave one.
    Closed(Option<u16>, String),
}

impl Socket {
    /// Opens the socket of a shard, `__root__` or `<field>=<encoded value>`.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the upgrade.
    pub async fn connect(address: &ServerAddress, shard: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let mut request = address.socket(shard).into_client_request().map_err(network)?;
        let offered = token.map_or_else(
            || SUBPROTOCOL.to_owned(),
            |token| {
                format!(
                    "{SUBPROTOCOL}, {TOKEN_SUBPROTOCOL_PREFIX}{}",
                    URL_SAFE_NO_PAD.encode(token)
                )
            },
        );
        let offered = HeaderValue::from_str(&offered).map_err(network)?;
        request.headers_mut().insert("sec-websocket-protocol", offered);
        let limits = WebSocketConfig::default()
            .max_message_size(Some(FRAME_BYTES))
            .max_frame_size(Some(FRAME_BYTES));
        let (stream, _) = connect_async_with_config(request, Some(limits), true)
            .await
            .map_err(network)?;
        Ok(Self { stream })
    }

    /// Sends frames with one write.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, frames: &[ClientFrame]) -> Result<(), ClientError> {
        for frame in frames {
            let text = serde_json::to_string(frame).map_err(|error| ClientError::Answer(error.to_string()))?;
            self.stream.feed(Message::text(text)).await.map_err(network)?;
        }
        self.stream.flush().await.map_err(network)
    }

    /// Sends a keep-alive, which does not wake the object.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn ping(&mut self) -> Result<(), ClientError> {
        self.stream.send(Message::text(PING)).await.map_err(network)
    }

    /// Waits for what comes next. Safe to drop half-way: nothing is lost.
    ///
    /// # Errors
    /// When the connection broke, or what came is no frame.
    pub async fn next(&mut self) -> Result<Received, ClientError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == PONG => return Ok(Received::Pong),
                Some(Ok(Message::Text(text))) => return Ok(Received::Message(parse_server_frame(&text)?)),
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame.map_or((None, String::new()), |frame| {
                        (Some(frame.code.into()), frame.reason.to_string())
                    });
                    return Ok(Received::Closed(code, reason));
                }
                // Answered by the library.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(network(error)),
                None => return Ok(Received::Closed(None, String::new())),
            }
        }
    }

    /// Says goodbye. A peer that is gone already is none the worse for it.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }
}

fn network(error: impl std::fmt::Display) -> ClientError {
    ClientError::Network(error.to_string())
}
