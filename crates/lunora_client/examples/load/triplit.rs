//! Triplit's sync protocol: changes as SuperJSON, one message each.

use serde_json::{Map, Value as Json, json};

use crate::Failure;
use crate::dialect::Dialect;
use crate::operation::Operation;
use crate::scenario::Watch;

pub struct Triplit {
    name: String,
    token: String,
    sequence: u64,
}

impl Triplit {
    pub fn new(run: &str, number: usize, token: String) -> Self {
        Self {
            name: format!("{run}-{number}"),
            token,
            sequence: 0,
        }
    }

    fn changes(&mut self, operation: Operation) -> String {
        self.sequence += 1;
        let row = match operation {
            Operation::Insert { channel, body } => json!({ "channel": channel, "body": body }),
            Operation::Transfer { .. } => Json::Object(Map::new()),
        };
        let id = format!("{}-{}", self.name, self.sequence);
        let mut row = row;
        row["id"] = json!(id);
        row["seq"] = json!(self.sequence);
        json!({
            "type": "CHANGES",
            "payload": { "changes": {
                "json": { "messages": { "sets": [[id, row]], "deletes": [] } },
                "meta": { "values": { "messages.sets": ["map"], "messages.deletes": ["set"] } },
            } },
        })
        .to_string()
    }
}

impl Dialect for Triplit {
    fn path(&self) -> String {
        format!("/?token={}&client={}&sync-schema=false", self.token, self.name)
    }

    fn is_ready(&self, text: &str) -> bool {
        text.contains("READY")
    }

    fn subscribe(&self, channel: &str, _: Watch) -> String {
        json!({
            "type": "CONNECT_QUERY",
            "payload": {
                "id": format!("watch-{channel}"),
                "params": {
                    "collectionName": "messages",
                    "where": [["channel", "=", channel]],
                    "order": [["seq", "DESC"]],
                    "limit": 50,
                },
            },
        })
        .to_string()
    }

    fn is_subscribed(&self, text: &str) -> bool {
        text.contains("ENTITY_DATA")
    }

    fn write(&mut self, operations: Vec<Operation>) -> Vec<String> {
        operations
            .into_iter()
            .map(|operation| self.changes(operation))
            .collect()
    }

    fn acknowledged(&mut self, text: &str) -> Result<usize, Failure> {
        if text.contains(r#""type":"ERROR""#) || text.contains(r#""type":"CLOSE""#) {
            return Err(text.to_owned().into());
        }
        Ok(usize::from(text.contains("CHANGES_ACK")))
    }
}
