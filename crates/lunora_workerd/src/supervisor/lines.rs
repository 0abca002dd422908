//! Reads output line by line, for ever: workerd stops when nobody reads what it writes.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Longer lines are cut; the rest of the line is read and thrown away.
const LONGEST_LINE: usize = 1 << 20;

/// Calls `take` with each line until the other end closes.
pub(crate) async fn drain_lines(output: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let mut reader = BufReader::with_capacity(1 << 16, output);
    let mut line = Vec::new();
    loop {
        let (used, complete) = match reader.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(buffer) => {
                let (part, complete) = match buffer.iter().position(|byte| *byte == b'\n') {
                    Some(end) => (&buffer[..end], true),
                    None => (buffer, false),
                };
                let room = LONGEST_LINE.saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                (part.len() + usize::from(complete), complete)
            }
        };
        reader.consume(used);
        if complete {
            take(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    if !line.is_empty() {
        take(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        drain_lines(bytes, |line| found.push(line.to_owned())).await;
        found
    }

    #[tokio::test]
    async fn splits_and_keeps_the_last_without_newline() {
        assert_eq!(lines(b"a\n\nb\xff\nc").await, ["a", "", "b\u{fffd}", "c"]);
        assert!(lines(b"").await.is_empty());
    }

    #[tokio::test]
    async fn an_endless_line_is_cut() {
        let mut text = vec![b'x'; LONGEST_LINE * 3];
        text.extend_from_slice(b"\nend\n");
        let found = lines(&text).await;
        assert_eq!((found[0].len(), found[1].as_str()), (LONGEST_LINE, "end"));
    }
}
