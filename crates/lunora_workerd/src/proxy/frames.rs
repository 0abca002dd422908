//! Where the frames of a WebSocket begin and end (RFC 6455, 5.2), without looking inside them.
//!
//! The proxy passes bytes on as they are, extensions and all, and needs the boundaries for one
//! purpose: a Close frame of its own may only stand between two frames.

/// A frame's head is at most 2 + 8 + 4 bytes.
const LONGEST_HEAD: usize = 14;
const OPCODE_CLOSE: u8 = 0x8;

/// Follows one direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct FrameTracker {
    head: [u8; LONGEST_HEAD],
    head_length: usize,
    payload_left: u64,
    close_seen: bool,
}

impl FrameTracker {
    /// Takes the next bytes and says how many of them, from the first on, complete a frame.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut boundary = 0;
        let mut at = 0;
        while at < bytes.len() {
            if self.payload_left > 0 {
                let available = u64::try_from(bytes.len() - at).unwrap_or(u64::MAX);
                let taken = self.payload_left.min(available);
                self.payload_left -= taken;
                at += usize::try_from(taken).unwrap_or(bytes.len() - at);
            } else {
                self.head[self.head_length] = bytes[at];
                self.head_length += 1;
                at += 1;
                let Some(length) = self.complete_head() else { continue };
                self.close_seen |= self.head[0] & 0x0f == OPCODE_CLOSE;
                self.head_length = 0;
                self.payload_left = length;
            }
            if self.payload_left == 0 && self.head_length == 0 {
                boundary = at;
            }
        }
        boundary
    }

    /// The payload's length once the whole head is there.
    fn complete_head(&self) -> Option<u64> {
        if self.head_length < 2 {
            return None;
        }
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.head_length < 2 + extended + mask {
            return None;
        }
        Some(match extended {
            0 => u64::from(self.head[1] & 0x7f),
            _ => self.head[2..2 + extended]
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
        })
    }

    /// Whether a Close frame has gone by.
    pub(crate) const fn close_seen(&self) -> bool {
        self.close_seen
    }
}

/// An unmasked Close frame, as a server sends it. `reason` is cut to what fits.
pub(crate) fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let reason = reason.as_bytes();
    let reason = &reason[..reason.len().min(123)];
    let length = u8::try_from(reason.len() + 2).unwrap_or(2);
    let mut frame = vec![0x80 | OPCODE_CLOSE, length];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason);
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, length: usize, masked: bool, wide: bool) -> Vec<u8> {
        let mask_bit = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        if wide || length > 0xffff {
            bytes.push(mask_bit | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        } else if length > 125 {
            bytes.push(mask_bit | 126);
            bytes.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_be_bytes());
        } else {
            bytes.push(mask_bit | u8::try_from(length).unwrap_or(0));
        }
        if masked {
            bytes.extend_from_slice(&[1, 2, 3, 4]);
        }
        bytes.resize(bytes.len() + length, 0xab);
        bytes
    }

    #[test]
    fn a_close_is_seen_and_built() {
        let mut tracker = FrameTracker::default();
        let close = close_frame(1012, "reload");
        assert_eq!(tracker.feed(&close), close.len());
        assert!(tracker.close_seen());
        assert_eq!(&close[..4], &[0x88, 8, 0x03, 0xf4]);
    }

    proptest! {
        #[test]
        fn boundaries_are_found_however_the_bytes_arrive(
            frames in prop::collection::vec((0_u8..3, 0_usize..70_000, any::<bool>(), any::<bool>()), 1..6),
            cuts in prop::collection::vec(1_usize..5_000, 1..40),
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for (opcode, length, masked, wide) in frames {
                bytes.extend(frame(opcode, length, masked, wide));
                ends.push(bytes.len());
            }
            let mut tracker = FrameTracker::default();
            let mut at = 0;
            let mut known = 0;
            for cut in cuts.iter().cycle() {
                if at == bytes.len() {
                    break;
                }
                let end = (at + cut).min(bytes.len());
                let boundary = tracker.feed(&bytes[at..end]);
                if boundary > 0 {
                    known = at + boundary;
                }
                let expected = ends.iter().rev().find(|position| **position <= end).copied().unwrap_or(0);
                prop_assert_eq!(known, expected);
                at = end;
            }
            prop_assert!(!tracker.close_seen());
        }
    }
}
