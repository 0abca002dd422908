//! Making output the same on every machine.

/// Replaces what differs between machines, such as a temporary folder, by a name. Longer values are
/// replaced first, so that a folder inside another one keeps its own name.
#[must_use]
pub fn redact(text: &str, replacements: &[(&str, &str)]) -> String {
    let mut ordered: Vec<_> = replacements.iter().filter(|(value, _)| !value.is_empty()).collect();
    ordered.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let mut redacted = text.to_owned();
    for (value, name) in ordered {
        redacted = redacted.replace(value, name);
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn the_longest_value_wins() {
        let text = "/tmp/x/app/a.ts and /tmp/x/b.ts";
        let redacted = redact(text, &[("/tmp/x", "<tmp>"), ("/tmp/x/app", "<app>"), ("", "<never>")]);
        assert_eq!(redacted, "<app>/a.ts and <tmp>/b.ts");
    }
}
