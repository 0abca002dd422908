//! Values for people.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Longest piece of a value in a line, characters.
const PIECE: usize = 80;

/// The time of day in UTC: `12:03:04.123Z`.
pub(super) fn clock(at: u64) -> String {
    let (seconds, millis) = (at % DAY / 1000, at % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// The day and time in UTC: `2026-11-21 12:03:04.123Z`.
pub(super) fn moment(at: u64) -> String {
    // The calendar repeats every 400 years; its years begin in March here, so that the leap day is the last.
    let days = at / DAY + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = days / 146_097 * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {}", clock(at))
}

/// Text that cannot move a terminal's cursor or change its colours.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|character| match character {
            '\n' | '\t' => vec![character],
            other if other.is_control() => other.escape_unicode().collect(),
            other => vec![other],
        })
        .collect()
}

/// At most so many characters that a line has room for.
pub(super) fn cut(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(PIECE).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    plain(&short)
}

/// Bytes in binary units.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..=1023 => format!("{count} B"),
        1024..=1_048_575 => format!("{}.{} KiB", count / 1024, count % 1024 * 10 / 1024),
        _ => format!("{}.{} MiB", count / 1_048_576, count % 1_048_576 * 10 / 1_048_576),
    }
}

/// `1 frame`, `2 frames`.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A field's text, empty when there is none.
pub(super) fn text<'json>(json: &'json Json, field: &str) -> &'json str {
    json.get(field).and_then(Json::as_str).unwrap_or_default()
}

/// A field's number, 0 when there is none. Fractions are cut off.
pub(super) fn number(json: &Json, field: &str) -> u64 {
    let value = json.get(field);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is negative or beyond becomes the nearest"
    )]
    let from_double = || value.and_then(Json::as_f64).map(|number| number as u64);
    value.and_then(Json::as_u64).or_else(from_double).unwrap_or_default()
}

/// Rows as columns; each column is as wide as its widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(head.get(column).map_or(0, |name| name.len()))
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    let first: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    for row in std::iter::once(&first).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment(0), "1970-01-01 00:00:00.000Z");
        assert_eq!(moment(951_782_399_999), "2000-02-28 23:59:59.999Z");
        assert_eq!(moment(951_782_400_000), "2000-02-29 00:00:00.000Z");
        assert_eq!(moment(1_795_262_584_123), "2026-11-21 12:03:04.123Z");
        assert_eq!(moment(4_102_444_800_000), "2100-01-01 00:00:00.000Z");
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        assert_eq!(plain("a\u{1b}[31m\u{9b}2Jb\tc\n"), "a\\u{1b}[31m\\u{9b}2Jb\tc\n");
        assert_eq!(cut(&"ä".repeat(81)).chars().count(), 81);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn sizes_and_counts() {
        let shown: Vec<String> = [0, 1023, 1024, 1536, 1_048_576, 1_572_864]
            .into_iter()
            .map(bytes)
            .collect();
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.5 MiB"]);
        assert_eq!(
            (count(1, "frame"), count(0, "frame")),
            ("1 frame".into(), "0 frames".into())
        );
    }

    #[test]
    fn numbers_of_any_kind_and_none() {
        let json = json!({ "whole": 3, "half": 2.5, "below": -1, "text": "3" });
        let read: Vec<u64> = ["whole", "half", "below", "text", "absent"]
            .into_iter()
            .map(|field| number(&json, field))
            .collect();
        assert_eq!(read, [3, 2, 0, 0, 0]);
    }

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let rows = vec![
            vec!["__root__".to_owned(), "0".to_owned()],
            vec!["ä".to_owned(), "12".to_owned()],
        ];
        assert_eq!(
            table(&["shard", "sockets"], &rows),
            "shard     sockets\n__root__  0\nä         12\n"
        );
    }
}
