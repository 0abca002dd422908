//! What a mail may be at most. They hold before memory is spent on it.

/// Bytes of one raw message, as the platform has it.
pub const MESSAGE_BYTES: usize = 25 * 1024 * 1024;
/// Bytes of the JSON that describes one: attachments are base64 there.
pub const BODY_BYTES: usize = MESSAGE_BYTES / 3 * 4 + 4 * 1024 * 1024;
/// Parts of one message, multiparts counted.
pub const PARTS: usize = 1_000;
/// Multiparts inside each other.
pub const DEPTH: usize = 20;
/// Bytes of the headers of the message, and of each part.
pub const HEADER_BYTES: usize = 256 * 1024;
/// Header lines of the message, and of each part.
pub const HEADER_LINES: usize = 1_000;
/// Recipients of one message.
pub const RECIPIENTS: usize = 1_000;
/// Bytes of the HTML that is rendered.
pub const HTML_BYTES: usize = 5 * 1024 * 1024;
/// Mails that are kept.
pub const KEPT_MAILS: usize = 500;
/// Bytes of all mails that are kept.
pub const KEPT_BYTES: u64 = 50 * 1024 * 1024;
