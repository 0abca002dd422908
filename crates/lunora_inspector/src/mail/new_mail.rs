//! A mail that is to be kept.

use super::record::Direction;

/// A mail to keep.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// The raw message.
    pub raw: Vec<u8>,
    /// Which way it goes.
    pub direction: Direction,
    /// The region whose data it holds.
    pub region: Option<String>,
    /// The sender of the envelope, where it is known; else the message's.
    pub from: Option<String>,
    /// The recipients of the envelope, where they are known; else the message's.
    pub to: Vec<String>,
    /// Recipients that the message does not name.
    pub bcc: Vec<String>,
    /// The call that sent it.
    pub call: Option<String>,
    /// The function that sent it.
    pub function_path: Option<String>,
    /// The inbound mail that it forwards or answers.
    pub caused_by: Option<String>,
}

impl NewMail {
    /// A message and nothing known beside it.
    #[must_use]
    pub const fn new(raw: Vec<u8>, direction: Direction) -> Self {
        Self {
            raw,
            direction,
            region: None,
            from: None,
            to: Vec::new(),
            bcc: Vec::new(),
            call: None,
            function_path: None,
            caused_by: None,
        }
    }
}
