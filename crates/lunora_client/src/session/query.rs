//! A live query as it was last told, by where its result stands.

use serde_json::Value as Json;

use crate::frame::{ClientFrame, SubscribedQuery};

/// A query that is subscribed to.
#[derive(Debug)]
pub(super) struct Query {
    function_path: String,
    arguments: Json,
    /// Cursor and epoch of the result that is shown; `None` when it cannot be resumed from.
    position: Option<(u64, String)>,
    /// Times in a row that it had to be read afresh.
    strikes: u32,
}

impl Query {
    pub(super) fn new(function_path: &str, arguments: Json) -> Self {
        Self {
            function_path: function_path.to_owned(),
            arguments,
            position: None,
            strikes: 0,
        }
    }

    /// Whether something newer of the same timeline has come before: what it was applied to cannot be relied on.
    pub(super) fn is_overtaken(&self, cursor: u64, epoch: &str) -> bool {
        self.position
            .as_ref()
            .is_some_and(|(known, own)| cursor < *known && own == epoch)
    }

    /// What is shown stands there now.
    pub(super) fn moved(&mut self, position: Option<(u64, String)>) {
        if self.position.is_some() {
            self.strikes = 0;
        }
        self.position = position;
    }

    /// What is shown cannot be resumed from; how often that was so in a row.
    pub(super) fn strike(&mut self) -> u32 {
        self.position = None;
        self.strikes += 1;
        self.strikes
    }

    pub(super) fn frame(&self, id: &str) -> ClientFrame {
        ClientFrame::Subscribe {
            id: id.to_owned(),
            query: SubscribedQuery {
                function_path: self.function_path.clone(),
                args: self.arguments.clone(),
                table: None,
                since_seq: self.position.as_ref().map(|(cursor, _)| *cursor),
                since_epoch: self.position.as_ref().map(|(_, epoch)| epoch.clone()),
            },
        }
    }
}
