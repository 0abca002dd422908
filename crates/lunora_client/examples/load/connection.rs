//! One socket of the generator.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::Failure;
use crate::dialect::{Dialect, dialect_of};
use crate::scenario::{Scenario, Watch};

pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub dialect: Box<dyn Dialect>,
}

/// Small buffers: thousands of sockets share this process.
const BUFFER: usize = 4096;

impl Connection {
    /// Connected, greeted and ready.
    pub async fn open(scenario: &Scenario, number: usize) -> Result<Self, Failure> {
        let dialect = dialect_of(scenario, number);
        let mut request = format!("{}{}", scenario.origin, dialect.path()).into_client_request()?;
        if let Some(subprotocols) = dialect.subprotocols() {
            let value = HeaderValue::from_str(&subprotocols)?;
            request.headers_mut().insert("sec-websocket-protocol", value);
        }
        let configuration = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(0);
        let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(configuration), true).await?;
        let mut connection = Self { socket, dialect };
        let hello = connection.dialect.hello();
        // Triplit, which has a token, speaks first.
        let is_greeted = hello.is_some() || scenario.token.is_some();
        if let Some(hello) = hello {
            connection.send(hello).await?;
        }
        if is_greeted {
            let text = connection.receive().await?;
            if !connection.dialect.is_ready(&text) {
                return Err(format!("Not ready: {text}").into());
            }
        }
        Ok(connection)
    }

    /// Subscribed, and answered.
    pub async fn subscribe(&mut self, channel: &str, watch: Watch) -> Result<(), Failure> {
        if watch == Watch::Nothing {
            return Ok(());
        }
        let subscribe = self.dialect.subscribe(channel, watch);
        self.send(subscribe).await?;
        loop {
            let text = self.receive().await?;
            if self.dialect.is_subscribed(&text) {
                return Ok(());
            }
            if text.contains("rror") {
                return Err(format!("Not subscribed: {text}").into());
            }
        }
    }

    pub async fn send(&mut self, text: String) -> Result<(), Failure> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// All of them with one write to the kernel.
    pub async fn send_all(&mut self, texts: Vec<String>) -> Result<(), Failure> {
        for text in texts {
            self.socket.feed(Message::text(text)).await?;
        }
        Ok(self.socket.flush().await?)
    }

    pub async fn receive(&mut self) -> Result<Utf8Bytes, Failure> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(frame))) => return Err(format!("Closed by the server: {frame:?}").into()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err("The connection ended".into()),
            }
        }
    }
}
