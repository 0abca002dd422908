//! The links and one-time codes of a mail.

/// Words that say that a code stands nearby.
const CODE_WORDS: &[&str] = &[
    "code",
    "pin",
    "otp",
    "passcode",
    "password",
    "verification",
    "verify",
    "one-time",
    "token",
    "login",
    "sign in",
];
/// How far from such a word a code may stand, in characters.
const NEARBY: usize = 80;
/// More links of one mail are not listed.
const MOST_LINKS: usize = 200;
/// More codes of one mail are not listed.
const MOST_CODES: usize = 20;

/// The addresses of `text` that begin with `http://` or `https://`, in their order, each once.
#[must_use]
pub fn links_of_text(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = ["http://", "https://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let tail = &rest[start..];
        let end = tail
            .find(|one: char| one.is_whitespace() || one.is_control() || "<>\"`{}|\\^".contains(one))
            .unwrap_or(tail.len());
        let link = without_punctuation(&tail[..end]);
        push_link(&mut found, link);
        rest = &tail[end.max(7)..];
    }
    found
}

/// What ends a sentence does not belong to the address in it; a closing bracket does when it was opened there.
fn without_punctuation(mut link: &str) -> &str {
    while let Some(last) = link.chars().next_back() {
        let opened = match last {
            ')' => Some('('),
            ']' => Some('['),
            _ => None,
        };
        let ends_sentence = ".,;:!?'*_".contains(last);
        let unbalanced = opened.is_some_and(|open| link.matches(open).count() < link.matches(last).count());
        if !ends_sentence && !unbalanced {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link
}

/// Adds a link that leads somewhere and is not there yet.
pub(crate) fn push_link(links: &mut Vec<String>, link: &str) {
    let host = link.split_once("://").map_or("", |(_, rest)| rest);
    if !host.is_empty() && links.len() < MOST_LINKS && !links.iter().any(|one| one == link) {
        links.push(link.to_owned());
    }
}

/// A run of characters that may be a code, and where it lies.
struct Candidate {
    text: String,
    start: usize,
    end: usize,
}

fn is_code(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let length = text.len();
    let all_digits = digits == length && (4..=8).contains(&length);
    let mixed = (6..=8).contains(&length)
        && digits > 0
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    all_digits || mixed
}

/// Words of letters and digits, and two of digits that a blank or a hyphen parts: `123 456`, `123-456`.
fn candidates(line: &str) -> Vec<Candidate> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for (position, one) in line.char_indices().chain([(line.len(), ' ')]) {
        match (one.is_alphanumeric() || one == '_', start) {
            (true, None) => start = Some(position),
            (false, Some(begin)) => {
                words.push((begin, position));
                start = None;
            }
            _ => {}
        }
    }
    let digits = |(start, end): (usize, usize)| line[start..end].bytes().all(|byte| byte.is_ascii_digit());
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(&(start, end)) = words.get(position) {
        position += 1;
        if let Some(&(next, next_end)) = words.get(position) {
            let parted = matches!(&line[end..next], " " | "-" | "\u{a0}" | "\u{2013}");
            let halves = end - start == next_end - next && matches!(end - start, 3 | 4);
            if parted && halves && digits((start, end)) && digits((next, next_end)) {
                found.push(Candidate {
                    text: format!("{}{}", &line[start..end], &line[next..next_end]),
                    start,
                    end: next_end,
                });
                position += 1;
                continue;
            }
        }
        // Part of an address, an amount or a date is no code.
        let before = line[..start].chars().next_back();
        let mut after = line[end..].chars();
        let (next, second) = (after.next(), after.next());
        let joined = before.is_some_and(|one| "/.,-+@#&=%$€£:".contains(one) && !(one == ':' && start == 1))
            || next.is_some_and(|one| "/@=%&-€".contains(one))
            || (next.is_some_and(|one| ".,:".contains(one)) && second.is_some_and(char::is_alphanumeric));
        let after_colon = before == Some(':');
        if (!joined || after_colon) && is_code(&line[start..end]) {
            found.push(Candidate {
                text: line[start..end].to_owned(),
                start,
                end,
            });
        }
    }
    found
}

fn has_code_word(text: &str) -> bool {
    CODE_WORDS.iter().any(|word| {
        text.match_indices(word).any(|(position, _)| {
            let alone = |one: Option<char>| !one.is_some_and(char::is_alphanumeric);
            alone(text[..position].chars().next_back()) && alone(text[position + word.len()..].chars().next())
        })
    })
}

/// The last `count` characters.
fn tail(text: &str, count: usize) -> &str {
    let start = text
        .char_indices()
        .rev()
        .nth(count.saturating_sub(1))
        .map_or(0, |(position, _)| position);
    &text[start..]
}

/// The one-time codes of `text`, the likeliest first: of 4 to 8 digits, or 6 to 8 digits and capitals, near a word such as
/// "code", or alone on their line.
#[must_use]
pub fn codes_of_text(text: &str) -> Vec<String> {
    let (mut near, mut alone) = (Vec::new(), Vec::new());
    let mut said = String::new();
    for line in text.lines() {
        for found in candidates(line) {
            let before = format!("{said} {}", &line[..found.start]).to_lowercase();
            let after = line[found.end..].to_lowercase();
            let after: String = after.chars().take(NEARBY / 2).collect();
            let is_alone = line[..found.start].trim().is_empty() && line[found.end..].trim().is_empty();
            if has_code_word(tail(&before, NEARBY)) || has_code_word(&after) {
                near.push(found.text);
            } else if is_alone {
                alone.push(found.text);
            }
        }
        if !line.trim().is_empty() {
            said = tail(line, NEARBY).to_owned();
        }
    }
    let mut codes = Vec::new();
    for code in near.into_iter().chain(alone) {
        if codes.len() < MOST_CODES && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_where_its_sentence_does() {
        for (text, links) in [
            (
                "Open https://a.example/verify?token=x.",
                vec!["https://a.example/verify?token=x"],
            ),
            (
                "(see http://a.example/b_(c)) and https://d.example/",
                vec!["http://a.example/b_(c)", "https://d.example/"],
            ),
            ("<https://a.example/x> https://a.example/x", vec!["https://a.example/x"]),
            ("https:// http:// ftp://a.example", vec![]),
            ("https://ä.example/ü!", vec!["https://ä.example/ü"]),
        ] {
            assert_eq!(links_of_text(text), links, "{text}");
        }
    }

    #[test]
    fn a_code_stands_near_its_word_or_alone() {
        for (text, codes) in [
            ("Your code is 123456.", vec!["123456"]),
            ("Your code: 123 456", vec!["123456"]),
            ("Use 1234-5678 as your one-time password", vec!["12345678"]),
            ("Hello\n\n  493021\n\nThanks", vec!["493021"]),
            ("Your verification code:\n\nA1B2C3\n", vec!["A1B2C3"]),
            ("PIN:9041", vec!["9041"]),
            ("Invoice of 2026 over 12000 EUR, order 445566", vec![]),
            ("https://a.example/code/123456", vec![]),
            ("Spinning 1234 wheels", vec![]),
            ("Code 111111, not 222222", vec!["111111", "222222"]),
            ("", vec![]),
        ] {
            assert_eq!(codes_of_text(text), codes, "{text}");
        }
    }

    #[test]
    fn the_likeliest_code_comes_first() {
        assert_eq!(codes_of_text("778899\nYour login code is 112233"), ["112233", "778899"]);
    }
}
