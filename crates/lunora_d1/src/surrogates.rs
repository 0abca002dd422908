//! JSON of JavaScript may hold halves of characters, which UTF-8 cannot.

use std::ops::Range;

/// Makes every escaped lone surrogate of a JSON text the replacement character; `None` when there is none. Both are six
/// bytes, so that nothing moves.
pub(crate) fn replaced(json: &[u8]) -> Option<Vec<u8>> {
    let mut changed: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(skip) = json
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| *byte == b'\\'))
    {
        at += skip;
        let Some(unit) = escaped_unit(json, at) else {
            // Another escape, of which the second byte may be a backslash too.
            at += 2;
            continue;
        };
        let is_pair = (0xd800..0xdc00).contains(&unit)
            && escaped_unit(json, at + 6).is_some_and(|next| (0xdc00..0xe000).contains(&next));
        if is_pair {
            at += 12;
            continue;
        }
        if (0xd800..0xe000).contains(&unit) {
            let place: Range<usize> = at..at + 6;
            changed.get_or_insert_with(|| json.to_vec())[place].copy_from_slice(b"\\ufffd");
        }
        at += 6;
    }
    changed
}

/// The code unit of `\uXXXX` at a place.
fn escaped_unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::replaced;

    #[test]
    fn only_lone_ones() {
        for (given, expected) in [
            (r#"["\ud800"]"#, Some(r#"["\ufffd"]"#)),
            (
                r#"["a\uDC00b\ud83d\ude00\ud800x"]"#,
                Some(r#"["a\ufffdb\ud83d\ude00\ufffdx"]"#),
            ),
            (r#"["\ud800\ud83d\ude00"]"#, Some(r#"["\ufffd\ud83d\ude00"]"#)),
            (r#"["\\ud800"]"#, None),
            (r#"["\\\ud800"]"#, Some(r#"["\\\ufffd"]"#)),
            (r#"["\u00e4\n\"","#, None),
            (r#"["\u12"#, None),
            (r"\", None),
        ] {
            let given = replaced(given.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(given.as_deref(), expected);
        }
    }
}
