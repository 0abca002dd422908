//! The protocols that the generator speaks.

use crate::Failure;
use crate::operation::Operation;
use crate::scenario::{DialectName, Scenario, Watch};

/// How one kind of server is spoken to. A value is one connection's.
pub trait Dialect {
    /// Path and query of the socket.
    fn path(&self) -> String;

    /// Value of the `sec-websocket-protocol` header.
    fn subprotocols(&self) -> Option<String> {
        None
    }

    /// What is sent first; `None` where the server waits for nothing.
    fn hello(&self) -> Option<String> {
        None
    }

    /// Whether the text says that the connection can be used.
    fn is_ready(&self, text: &str) -> bool;

    /// Asks for everything in a channel.
    fn subscribe(&self, channel: &str, watch: Watch) -> String;

    /// Whether the text is the answer to [`Self::subscribe`].
    fn is_subscribed(&self, text: &str) -> bool;

    /// The messages that carry the operations.
    fn write(&mut self, operations: Vec<Operation>) -> Vec<String>;

    /// How many operations the text acknowledges.
    fn acknowledged(&mut self, text: &str) -> Result<usize, Failure>;
}

/// `number` is unique among the connections of a run.
pub fn dialect_of(scenario: &Scenario, number: usize) -> Box<dyn Dialect> {
    let run = &scenario.run;
    match scenario.dialect {
        DialectName::Lunora => Box::new(crate::lunora::Lunora::new(run, number)),
        DialectName::Raw => Box::new(crate::raw::Raw::default()),
        DialectName::Party => Box::new(crate::party::Party::default()),
        DialectName::Triplit => Box::new(crate::triplit::Triplit::new(
            run,
            number,
            scenario.token.clone().unwrap_or_default(),
        )),
    }
}
