//! The frames of a socket, as they are written in `npm/protocol/src/frames.ts`, and their parser.

mod client;
mod field;
mod parse;
mod presence;
mod server;

pub use client::{ClientFrame, PushEntry, StreamedQuery, SubscribedQuery, SubscribedShape};
pub use parse::{
    FrameError, parse_client_frame, parse_presence_client_frame, parse_presence_server_frame, parse_server_frame,
};
pub use presence::{PresenceClientFrame, PresenceMember, PresenceResume, PresenceServerFrame, PresenceUpdate};
pub use server::{ErrorBody, Operation, Progress, PushResult, RowOperation, ServerFrame, ServerMessage};

/// Keep-alive of a client, answered without waking the object.
pub const PING: &str = "lunora-ping";
/// The answer to [`PING`].
pub const PONG: &str = "lunora-pong";
/// Subprotocol that both sides name.
pub const SUBPROTOCOL: &str = "lunora";
/// Start of the subprotocol that carries a token as base64url.
pub const TOKEN_SUBPROTOCOL_PREFIX: &str = "lunora.bearer.";
/// Longest frame in either direction, bytes of UTF-8.
pub const FRAME_BYTES: usize = 1_048_576;
/// Most entries in one push.
pub const MAX_PUSH_ENTRIES: usize = 500;
/// The capability of getting the frames of one flush as one `batch`.
pub const CAPABILITY_BATCH: &str = "batch";

/// Codes a socket is closed with.
pub mod close_code {
    /// A frame broke the protocol; an `error` frame came before.
    pub const PROTOCOL_ERROR: u16 = 1008;
    /// A frame was longer than [`super::FRAME_BYTES`].
    pub const TOO_LARGE: u16 = 1009;
    /// The worker's code is replaced: connect again at once.
    pub const RELOAD: u16 = 1012;
    /// The reader does not keep up: connect again and resume.
    pub const SLOW_READER: u16 = 1013;
    /// The token has expired: get a new one and connect again.
    pub const TOKEN_EXPIRED: u16 = 4001;
    /// The identity is not valid: do not connect again with this token.
    pub const IDENTITY_INVALID: u16 = 4401;
    /// This identity may not reach this shard.
    pub const FORBIDDEN: u16 = 4403;
}
