//! Thousands of configurations against an oracle that knows no text.

use lunora_config::reconcile_wrangler;
use lunora_testing::Random;

use crate::config_text::random_config;
use crate::plain_json::{Token, is_subsequence, tokens, value};
use crate::{oracle, wanted, wanted_with_database};

const CONFIGS: usize = 5_000;

#[test]
fn random_configs_become_what_is_wanted_and_stay_what_they_were() {
    let mut random = Random::from_environment("wrangler random_configs", 20_260_401);
    let without_client = wanted();
    let with_client = lunora_config::Wanted {
        client_directory: Some("dist/client".to_owned()),
        ..wanted_with_database()
    };
    let (mut changed, mut refused, mut complete) = (0, 0, 0);
    for number in 0..CONFIGS {
        let config = random_config(&mut random.fork());
        let text = &config.text;
        let wanted = if number % 2 == 0 { &without_client } else { &with_client };
        let expected = oracle::merged(&value(text), wanted);
        match (reconcile_wrangler("wrangler.jsonc", text, wanted), expected) {
            (Err(diagnostic), expected) => {
                let mut codes = expected.err().unwrap_or_default();
                codes.extend(config.has_duplicate.then_some("WRANGLER_DUPLICATE_KEY"));
                assert!(
                    codes.contains(&diagnostic.code.as_str()),
                    "config {number}: {diagnostic:?}\n{text}"
                );
                assert!(diagnostic.help.is_some());
                for label in &diagnostic.labels {
                    let range = usize::try_from(label.span.start).unwrap()..usize::try_from(label.span.end).unwrap();
                    assert!(
                        text.get(range).is_some_and(|marked| !marked.is_empty()),
                        "config {number}: {label:?}"
                    );
                }
                refused += 1;
            }
            (Ok(reconciled), Ok(expected)) => {
                assert!(
                    !config.has_duplicate,
                    "config {number}: a key given twice was taken\n{text}"
                );
                let result = &reconciled.text;
                // Maps compare whatever their order; order is covered by the tokens.
                assert_eq!(value(result), expected, "config {number}:\n{text}\nbecame\n{result}");
                check_untouched(number, text, result);
                assert_eq!(reconciled.changes.is_empty(), text == result, "config {number}");
                let again = reconcile_wrangler("wrangler.jsonc", result, wanted).unwrap();
                assert_eq!(
                    (&again.text, again.changes.len()),
                    (result, 0),
                    "config {number}: second run"
                );
                if text == result {
                    complete += 1;
                } else {
                    changed += 1;
                }
            }
            (Ok(reconciled), Err(codes)) => {
                panic!(
                    "config {number} should be refused with one of {codes:?}:\n{text}\nbecame\n{}",
                    reconciled.text
                )
            }
        }
    }
    // The generator is worth something only if all three happen.
    eprintln!("{changed} changed, {complete} complete already, {refused} refused");
    assert!(changed > CONFIGS / 2 && refused > CONFIGS / 50 && complete > 0);
}

/// All that was there is still there, in order, byte by byte: but for a date that was too old, and
/// the blanks within empty brackets.
fn check_untouched(number: usize, before: &str, after: &str) {
    let solid = |text| -> Vec<_> {
        let is_solid = |token: &Token<'_>| !matches!(token, Token::Blank(_) | Token::Code("\"2024-09-23\""));
        tokens(text).into_iter().filter(is_solid).collect()
    };
    assert!(
        is_subsequence(solid(before), solid(after)),
        "config {number}:\n{before}\nbecame\n{after}"
    );
    let bytes = without_what_may_go(before);
    assert!(
        is_subsequence(bytes.bytes(), after.bytes()),
        "config {number}:\n{before}\nbecame\n{after}"
    );
    assert_eq!(before.starts_with('\u{feff}'), after.starts_with('\u{feff}'));
    let is_windows = before.contains("\r\n");
    if is_windows {
        assert_eq!(
            after.matches('\n').count(),
            after.matches("\r\n").count(),
            "config {number}: mixed line endings"
        );
    } else {
        assert!(!after.contains('\r'), "config {number}");
    }
}

fn without_what_may_go(text: &str) -> String {
    let mut kept = String::new();
    let tokens = tokens(text);
    for (position, token) in tokens.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(position + 1);
        let in_brackets = matches!(
            (before, after),
            (Some(Token::Code("{")), Some(Token::Code("}"))) | (Some(Token::Code("[")), Some(Token::Code("]")))
        );
        match token {
            Token::Blank(_) if in_brackets => {}
            Token::Code("\"2024-09-23\"") => {}
            Token::Blank(text) | Token::Code(text) | Token::Comment(text) => kept.push_str(text),
        }
    }
    kept
}
