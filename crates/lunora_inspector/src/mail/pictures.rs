//! Pictures that a mail may show: its own, and those of other servers where somebody asked for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::Parsed;

/// Bytes of pictures that are read from the mail.
const READ_BYTES: usize = 10 * 1024 * 1024;
/// Bytes of `data:` addresses that are written into the page for pictures of the mail: each may be shown often.
const WRITTEN_BYTES: usize = 20 * 1024 * 1024;

/// The pictures of one page.
pub(crate) struct Pictures {
    /// `data:` addresses of the mail's own, by content id.
    own: HashMap<String, String>,
    /// Bytes that may still be written for them.
    room: AtomicUsize,
    /// Whether other servers may be asked.
    is_remote: bool,
}

/// Pictures that are only pixels: SVG can hold anything.
fn is_picture(media_type: &str) -> bool {
    ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&media_type)
}

/// White space and control characters are no part of an address, to a browser.
pub(crate) fn bare_address(value: &str) -> String {
    value
        .chars()
        .filter(|one| !one.is_control() && !one.is_whitespace())
        .collect()
}

pub(crate) fn scheme(address: &str) -> String {
    address
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase())
        .unwrap_or_default()
}

impl Pictures {
    pub(crate) fn of(mail: &Parsed<'_>, is_remote: bool) -> Self {
        let mut own = HashMap::new();
        let mut room = READ_BYTES;
        for leaf in &mail.leaves {
            let Some(id) = leaf.content_id.as_deref() else { continue };
            if !is_picture(&leaf.media_type) || leaf.body.len() > room {
                continue;
            }
            room -= leaf.body.len();
            let bytes = mail.bytes(leaf);
            own.insert(
                id.trim_matches(['<', '>']).to_owned(),
                format!("data:{};base64,{}", leaf.media_type, STANDARD.encode(bytes)),
            );
        }
        Self::new(own, is_remote)
    }

    fn new(own: HashMap<String, String>, is_remote: bool) -> Self {
        Self {
            own,
            room: AtomicUsize::new(WRITTEN_BYTES),
            is_remote,
        }
    }

    /// What the page says for the address of a picture; `None` when the picture is not to be shown.
    pub(crate) fn shown(&self, value: &str) -> Option<String> {
        let target = bare_address(value);
        match scheme(&target).as_str() {
            "cid" => self.own(target.get(4..)?.trim_matches(['<', '>'])),
            "data" => {
                let (media_type, _) = target.get(5..)?.split_once(";base64,")?;
                is_picture(&media_type.to_ascii_lowercase()).then_some(target)
            }
            "http" | "https" if self.is_remote => Some(target),
            _ => None,
        }
    }

    fn own(&self, id: &str) -> Option<String> {
        let address = self.own.get(id)?;
        self.room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| {
                room.checked_sub(address.len())
            })
            .ok()?;
        Some(address.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(is_remote: bool) -> Pictures {
        let own = HashMap::from([("logo@x".to_owned(), "data:image/png;base64,AA==".to_owned())]);
        Pictures::new(own, is_remote)
    }

    #[test]
    fn those_of_the_mail_are_shown_and_those_of_others_when_asked() {
        for value in ["cid:logo@x", " CID:<logo@x>", "c\nid:logo@x"] {
            assert_eq!(
                pictures(false).shown(value).as_deref(),
                Some("data:image/png;base64,AA=="),
                "{value}"
            );
        }
        let remote = "https://track.example/1.gif";
        assert_eq!(pictures(false).shown(remote), None);
        assert_eq!(pictures(true).shown(remote).as_deref(), Some(remote));
        for value in [
            "cid:other",
            "data:image/svg+xml;base64,AA==",
            "data:image/png,x",
            "file:///x",
            "/x",
            "",
        ] {
            assert_eq!(pictures(true).shown(value), None, "{value}");
        }
    }
}
