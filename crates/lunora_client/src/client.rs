//! A client of one shard that stays connected: the actor around [`Session`] and [`Socket`].

mod actor;

use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::ClientError;
use crate::server_address::ServerAddress;
use crate::session::View;
use crate::value::{Value, decode, encode};
use actor::{Actor, Command};

/// Gives the token for each connection: a fresh one after it was told that the last has expired.
pub type TokenSource = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Who connects to what.
#[derive(Clone)]
pub struct ClientOptions {
    /// The server.
    pub address: ServerAddress,
    /// Name of the object: `__root__` or `<field>=<encoded value>`.
    pub shard: String,
    /// Names this client's sequence of mutations in the shard; unique among the clients of an identity.
    pub client_id: String,
    /// Asked before each connection.
    pub token: TokenSource,
}

/// What is known of a subscription: nothing yet, the newest state, or why it ended.
pub type Latest<Item> = Option<Result<Arc<Item>, ClientError>>;

/// A handle to the client; it ends when all handles are gone.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::UnboundedSender<Command>,
}

impl Client {
    /// Starts connecting on the current tokio runtime.
    #[must_use]
    pub fn start(options: ClientOptions) -> Self {
        let (commands, received) = mpsc::unbounded_channel();
        tokio::spawn(Actor::new(options, received).run());
        Self { commands }
    }

    /// Runs a mutation, in order with the others of this client, once however often the connection
    /// breaks.
    ///
    /// # Errors
    /// What the mutation threw; a socket that was closed for good.
    pub async fn mutate(&self, function_path: &str, arguments: &Value) -> Result<Value, ClientError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Mutate {
            function_path: function_path.to_owned(),
            arguments: object(arguments)?,
            answer,
        })?;
        let result = answered.await.map_err(|_| ClientError::Ended)??;
        Ok(result.as_ref().map_or(Ok(Value::Undefined), decode)?)
    }

    /// Subscribes to a query.
    ///
    /// # Errors
    /// When the arguments cannot travel or the client has ended.
    pub fn subscribe(&self, function_path: &str, arguments: &Value) -> Result<Subscription<Value>, ClientError> {
        let (state, latest) = watch::channel(None);
        self.command(Command::Subscribe {
            function_path: function_path.to_owned(),
            arguments: object(arguments)?,
            state,
        })?;
        Ok(Subscription { latest })
    }

    /// Subscribes to a shape.
    ///
    /// # Errors
    /// When the arguments cannot travel or the client has ended.
    pub fn subscribe_shape(&self, name: &str, arguments: &Value) -> Result<Subscription<View>, ClientError> {
        let (state, latest) = watch::channel(None);
        self.command(Command::SubscribeShape {
            name: name.to_owned(),
            arguments: object(arguments)?,
            state,
        })?;
        Ok(Subscription { latest })
    }

    fn command(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).map_err(|_| ClientError::Ended)
    }
}

fn object(arguments: &Value) -> Result<Json, ClientError> {
    Ok(encode(arguments)?.unwrap_or_else(|| Json::Object(serde_json::Map::new())))
}

/// The newest state of what is subscribed to; dropping it unsubscribes.
pub struct Subscription<Item> {
    latest: watch::Receiver<Latest<Item>>,
}

impl<Item> Subscription<Item> {
    /// What is known now.
    #[must_use]
    pub fn latest(&self) -> Latest<Item> {
        self.latest.borrow().clone()
    }

    /// Waits for a state that was not seen yet. States in between may be skipped.
    ///
    /// # Errors
    /// When the subscription or the client has ended.
    pub async fn changed(&mut self) -> Result<Arc<Item>, ClientError> {
        loop {
            self.latest.changed().await.map_err(|_| ClientError::Ended)?;
            if let Some(state) = self.latest.borrow_and_update().clone() {
                return state;
            }
        }
    }
}
