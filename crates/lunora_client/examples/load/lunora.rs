//! Lunora's own protocol.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lunora_client::frame::{
    CAPABILITY_BATCH, ClientFrame, PushEntry, SUBPROTOCOL, ServerFrame, SubscribedQuery, SubscribedShape,
    TOKEN_SUBPROTOCOL_PREFIX, parse_server_frame,
};
use serde_json::json;

use crate::Failure;
use crate::dialect::Dialect;
use crate::operation::Operation;
use crate::scenario::Watch;

pub struct Lunora {
    client: String,
    sequence: u64,
    received: u64,
}

impl Lunora {
    pub fn new(run: &str, number: usize) -> Self {
        Self {
            client: format!("{run}-{number}"),
            sequence: 0,
            received: 0,
        }
    }

    fn entry(&mut self, operation: Operation) -> PushEntry {
        self.sequence += 1;
        let (function_path, args) = match operation {
            Operation::Insert { channel, body } => ("bench:send", json!({ "channel": channel, "body": body })),
            Operation::Transfer { from, to } => ("bench:transfer", json!({ "from": from, "to": to, "amount": 1 })),
        };
        PushEntry {
            client_seq: self.sequence,
            mutation_id: None,
            function_path: function_path.to_owned(),
            args,
        }
    }
}

fn text(frame: &ClientFrame) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

impl Dialect for Lunora {
    fn path(&self) -> String {
        "/_lunora/ws?shard=__root__".to_owned()
    }

    /// Each connection is a user of its own.
    fn subprotocols(&self) -> Option<String> {
        let token = URL_SAFE_NO_PAD.encode(&self.client);
        Some(format!("{SUBPROTOCOL}, {TOKEN_SUBPROTOCOL_PREFIX}{token}"))
    }

    fn hello(&self) -> Option<String> {
        Some(text(&ClientFrame::Connect {
            id: "connect".to_owned(),
            client_id: Some(self.client.clone()),
            caps: Some(vec![CAPABILITY_BATCH.to_owned()]),
            context: None,
        }))
    }

    fn is_ready(&self, text: &str) -> bool {
        text.contains(r#""type":"ack""#)
    }

    fn subscribe(&self, channel: &str, watch: Watch) -> String {
        let id = "watch".to_owned();
        let args = json!({ "channel": channel });
        let shape = |name: &str| ClientFrame::ShapeSubscribe {
            id: id.clone(),
            shape: SubscribedShape {
                name: name.to_owned(),
                args: Some(args.clone()),
            },
            since_checkpoint: None,
            since_epoch: None,
            since_version: None,
        };
        text(&match watch {
            Watch::Query => ClientFrame::Subscribe {
                id: id.clone(),
                query: SubscribedQuery {
                    function_path: "bench:latest".to_owned(),
                    args: args.clone(),
                    table: None,
                    since_seq: None,
                    since_epoch: None,
                },
            },
            Watch::PolicyShape => shape("mine"),
            Watch::Shape | Watch::Nothing => shape("channel"),
        })
    }

    fn is_subscribed(&self, text: &str) -> bool {
        text.contains(r#""type":"pokeEnd""#) || text.contains(r#""type":"data""#)
    }

    /// What is queued travels in one frame.
    fn write(&mut self, operations: Vec<Operation>) -> Vec<String> {
        let entries: Vec<_> = operations.into_iter().map(|operation| self.entry(operation)).collect();
        vec![text(&ClientFrame::Push {
            id: "push".to_owned(),
            client_id: self.client.clone(),
            entries,
            received: Some(self.received),
        })]
    }

    fn acknowledged(&mut self, text: &str) -> Result<usize, Failure> {
        let mut count = 0;
        for frame in parse_server_frame(text)?.into_frames() {
            match frame {
                ServerFrame::Ack {
                    results: Some(results), ..
                } => {
                    if let Some(error) = results.iter().find_map(|result| result.error.as_ref()) {
                        return Err(error.to_string().into());
                    }
                    count += results.len();
                    self.received = results.last().map_or(self.received, |result| result.client_seq);
                }
                ServerFrame::Error { error, .. } => return Err(error.to_string().into()),
                _ => {}
            }
        }
        Ok(count)
    }
}
