//! What can go wrong for a caller.

use thiserror::Error;

use crate::frame::{ErrorBody, FrameError};
use crate::value::WireError;

/// Why a call or a subscription has no result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ClientError {
    /// The server refused it, with a code of its own or of the app.
    #[error(transparent)]
    Refused(Box<ErrorBody>),
    /// The server could not be reached, or the connection broke. Whether a call took effect is not known.
    #[error("The server could not be reached: {0}")]
    Network(String),
    /// Whoever answers there cannot prove to be the server.
    #[error("The server is not trusted: {0}")]
    Untrusted(String),
    /// The socket was closed for good.
    #[error("The server closed the socket with {code}: {reason}")]
    Closed {
        /// One of [`crate::frame::close_code`].
        code: u16,
        /// What the server said.
        reason: String,
    },
    /// A value that cannot travel, or arrived broken.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A frame that cannot be read or sent.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// An answer that is none of the protocol.
    #[error("The answer is not one of Lunora: {0}")]
    Answer(String),
    /// An address that this client cannot speak to.
    #[error("`{0}` is not an address of a server: it has to begin with `http://` and name a host")]
    Address(String),
    /// An address that an admin's token is not sent to.
    #[error("`{0}` is not an address whose admin routes can be asked: {1}")]
    AdminAddress(String, String),
    /// The client was closed.
    #[error("The client is closed")]
    Ended,
}

impl ClientError {
    /// The stable code; for what the server refused, the one it sent.
    #[must_use]
    pub fn code(&self) -> &str {
        use lunora_diagnostics::codes;
        match self {
            Self::Refused(body) => &body.code,
            Self::Network(_) | Self::Untrusted(_) | Self::Ended => codes::NETWORK_FAILED.as_str(),
            Self::Closed { code, .. } => match *code {
                crate::frame::close_code::TOKEN_EXPIRED => codes::TOKEN_EXPIRED.as_str(),
                crate::frame::close_code::IDENTITY_INVALID => codes::UNAUTHORIZED.as_str(),
                crate::frame::close_code::FORBIDDEN => codes::FORBIDDEN_SHARD.as_str(),
                crate::frame::close_code::TOO_LARGE => codes::FRAME_TOO_LARGE.as_str(),
                _ => codes::FRAME_MALFORMED.as_str(),
            },
            Self::Wire(error) => error.code(),
            Self::Frame(error) => error.code(),
            Self::Answer(_) => codes::INTERNAL.as_str(),
            Self::Address(_) | Self::AdminAddress(..) => codes::BAD_REQUEST.as_str(),
        }
    }
}

impl From<ErrorBody> for ClientError {
    fn from(body: ErrorBody) -> Self {
        Self::Refused(Box::new(body))
    }
}
