//! From text to frames.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use thiserror::Error;

use super::{
    ClientFrame, FRAME_BYTES, MAX_PUSH_ENTRIES, PresenceClientFrame, PresenceServerFrame, ServerFrame, ServerMessage,
};
use crate::value::{WireError, parse_json};

/// Why a text is no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Longer than [`FRAME_BYTES`].
    #[error("A frame has at most {FRAME_BYTES} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not JSON, of no known type, or with wrong fields.
    #[error("This is no frame: {0}")]
    Malformed(String),
}

impl FrameError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => lunora_diagnostics::codes::FRAME_TOO_LARGE.as_str(),
            Self::Malformed(_) => lunora_diagnostics::codes::FRAME_MALFORMED.as_str(),
        }
    }
}

/// What a client sent.
///
/// # Errors
/// When the text is too long or no frame of a client.
pub fn parse_client_frame(text: &str) -> Result<ClientFrame, FrameError> {
    let frame = typed(object(text)?)?;
    if let ClientFrame::Push { entries, .. } = &frame
        && !(1..=MAX_PUSH_ENTRIES).contains(&entries.len())
    {
        return Err(FrameError::Malformed(format!(
            "a push has 1 to {MAX_PUSH_ENTRIES} entries, this one has {}",
            entries.len()
        )));
    }
    Ok(frame)
}

/// What a server sent.
///
/// # Errors
/// When the text is too long or no frame of a server.
pub fn parse_server_frame(text: &str) -> Result<ServerMessage, FrameError> {
    let mut json = object(text)?;
    if json.get("type").and_then(Json::as_str) != Some("batch") {
        return Ok(ServerMessage::Frame(typed::<ServerFrame>(json)?));
    }
    let Some(Json::Array(frames)) = json.get_mut("frames").map(Json::take) else {
        return Err(FrameError::Malformed("a batch has no array of frames".to_owned()));
    };
    frames
        .into_iter()
        .map(typed)
        .collect::<Result<_, _>>()
        .map(ServerMessage::Batch)
}

/// What a page sent to a room.
///
/// # Errors
/// When the text is too long or no frame of a page.
pub fn parse_presence_client_frame(text: &str) -> Result<PresenceClientFrame, FrameError> {
    typed(object(text)?)
}

/// What a room sent.
///
/// # Errors
/// When the text is too long or no frame of a room.
pub fn parse_presence_server_frame(text: &str) -> Result<PresenceServerFrame, FrameError> {
    typed(object(text)?)
}

/// Serde would take an array for a struct.
fn object(text: &str) -> Result<Json, FrameError> {
    if text.len() > FRAME_BYTES {
        return Err(FrameError::TooLarge(text.len()));
    }
    match parse_json(text) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(FrameError::Malformed("it is no object".to_owned())),
        Err(error @ (WireError::Malformed(_) | WireError::TooDeep)) => Err(FrameError::Malformed(error.to_string())),
    }
}

fn typed<Frame: DeserializeOwned>(json: Json) -> Result<Frame, FrameError> {
    serde_json::from_value(json).map_err(|error| FrameError::Malformed(error.to_string()))
}
