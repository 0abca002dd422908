//! The raw baselines: one message an operation, numbered, and the number as acknowledgement.

use serde_json::json;

use crate::Failure;
use crate::dialect::Dialect;
use crate::operation::Operation;
use crate::scenario::Watch;

#[derive(Default)]
pub struct Raw {
    sequence: u64,
}

impl Raw {
    pub fn message(&mut self, operation: Operation) -> String {
        self.sequence += 1;
        let id = self.sequence;
        match operation {
            Operation::Insert { channel, body } => json!({ "id": id, "channel": channel, "body": body }),
            Operation::Transfer { from, to } => json!({ "id": id, "from": from, "to": to, "amount": 1 }),
        }
        .to_string()
    }
}

impl Dialect for Raw {
    fn path(&self) -> String {
        "/".to_owned()
    }

    fn is_ready(&self, _: &str) -> bool {
        true
    }

    fn subscribe(&self, channel: &str, _: Watch) -> String {
        json!({ "subscribe": channel }).to_string()
    }

    fn is_subscribed(&self, text: &str) -> bool {
        text.contains("subscribed")
    }

    fn write(&mut self, operations: Vec<Operation>) -> Vec<String> {
        operations
            .into_iter()
            .map(|operation| self.message(operation))
            .collect()
    }

    fn acknowledged(&mut self, text: &str) -> Result<usize, Failure> {
        match text.get(..6) {
            Some(r#"{"id":"#) => Ok(1),
            _ => Err(format!("Not an acknowledgement: {text}").into()),
        }
    }
}
