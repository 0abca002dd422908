//! PartyServer: the raw messages at the address of a party.

use crate::Failure;
use crate::dialect::Dialect;
use crate::operation::Operation;
use crate::raw::Raw;
use crate::scenario::Watch;

#[derive(Default)]
pub struct Party(Raw);

impl Dialect for Party {
    fn path(&self) -> String {
        "/parties/room/main".to_owned()
    }

    fn is_ready(&self, text: &str) -> bool {
        self.0.is_ready(text)
    }

    fn subscribe(&self, channel: &str, watch: Watch) -> String {
        self.0.subscribe(channel, watch)
    }

    fn is_subscribed(&self, text: &str) -> bool {
        self.0.is_subscribed(text)
    }

    fn write(&mut self, operations: Vec<Operation>) -> Vec<String> {
        self.0.write(operations)
    }

    fn acknowledged(&mut self, text: &str) -> Result<usize, Failure> {
        self.0.acknowledged(text)
    }
}
