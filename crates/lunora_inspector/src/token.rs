//! The secret of one run.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lunora_diagnostics::{Diagnostic, codes};
use subtle::ConstantTimeEq as _;

/// Bytes of randomness.
const LENGTH: usize = 32;

/// 256 random bits as text that is allowed in a header, a WebSocket subprotocol and a fragment of a URL.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token of the system's randomness.
    ///
    /// # Errors
    /// `INTERNAL` when the system has none to give: then there is no inspector.
    pub fn random() -> Result<Self, Diagnostic> {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| {
            Diagnostic::error(
                codes::INTERNAL,
                format!("The system gives no random numbers for a token: {error}."),
            )
        })?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text. For the page's address and the run file, and for nothing that is logged.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this token, in a time that does not tell where they differ.
    #[must_use]
    pub fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(<secret>)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::random().unwrap();
        let text = token.expose().as_bytes();
        assert_eq!(text.len(), 43);
        assert!(token.is(text));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.to_vec();
                other[at] ^= 1 << bit;
                assert!(!token.is(&other), "byte {at}, bit {bit}");
            }
            assert!(!token.is(&text[..at]), "the first {at} bytes");
            assert!(!token.is(&text[at + 1..]), "from byte {at}");
        }
        assert!(!token.is(&[text, b"A"].concat()));
        assert!(!token.is(&[text, b" "].concat()));
        assert!(!token.is(&[text, b"\0"].concat()));
        assert!(!token.is(b""));
        assert!(!token.is(Token::random().unwrap().expose().as_bytes()));
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
