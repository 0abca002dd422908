//! What the tap sends: a head, and an event or a group of calls a line.

use serde::Deserialize;

use crate::timeline::{Entry, group};

/// Said of all events of a batch.
#[derive(Debug, Default, Deserialize)]
struct Head {
    #[serde(default)]
    region: Option<String>,
}

/// The events of a batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub entries: Vec<Entry>,
    /// Lines that are no events.
    pub lost: u64,
    /// Why, of the first of them.
    pub fault: Option<String>,
}

/// Reads a batch. What is no event is counted and does not keep the others from being taken; without a head nothing is.
pub(crate) fn read(body: &[u8]) -> Option<Batch> {
    let text = std::str::from_utf8(body).ok()?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    // A list would be taken as the fields of a structure in their order.
    let head = lines.next().filter(|line| line.starts_with('{'))?;
    let head: Head = serde_json::from_str(head).ok()?;
    let mut batch = Batch::default();
    let region = head.region.as_deref();
    for line in lines {
        let read = group::read(line, region).unwrap_or_else(|| Entry::parse(line, region).map(|entry| vec![entry]));
        match read {
            Ok(entries) => batch.entries.extend(entries),
            Err(error) => {
                batch.lost += 1;
                batch.fault.get_or_insert_with(|| error.to_string());
            }
        }
    }
    Some(batch)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_are_taken_and_bad_ones_counted() {
        let body = b"{\"region\":\"eu\",\"generation\":1,\"now\":5}\n{\"type\":\"log\",\"at\":1}\nnonsense\n\n{\"type\":\"call\",\"at\":2}\n";
        let batch = read(body).unwrap();
        assert_eq!((batch.entries.len(), batch.lost), (2, 1));
        assert!(batch.fault.unwrap().contains("JSON"));
        assert!(batch.entries[0].json(1).contains("\"region\":\"eu\""));
    }

    #[test]
    fn what_has_no_head_is_no_batch() {
        for body in [
            &b""[..],
            b"\n\n",
            b"nonsense\n{}",
            b"[]",
            b"\xff\xfe",
            b"{\"region\":7}",
        ] {
            assert!(read(body).is_none(), "{body:?}");
        }
        assert_eq!(read(b"{}").unwrap().entries.len(), 0);
    }
}
