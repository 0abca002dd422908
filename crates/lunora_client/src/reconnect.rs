//! What to do when a socket has closed. Pure: randomness is passed in.

use std::time::Duration;

use crate::frame::close_code;

/// The longest pause before another attempt.
const LONGEST: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(100);

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Connect again after the pause.
    After(Duration),
    /// The token has expired: with a new one connect at once, with the same one give up.
    NewToken,
    /// Connecting again would end the same way.
    GiveUp,
}

/// The step after a close. `code` is `None` when the connection broke; `failures` counts the attempts
/// since a connection last was ready; `random` is from 0 up to 1.
#[must_use]
pub fn after_close(code: Option<u16>, failures: u32, random: f64) -> Next {
    match code {
        Some(close_code::TOKEN_EXPIRED) => Next::NewToken,
        Some(
            close_code::IDENTITY_INVALID | close_code::FORBIDDEN | close_code::PROTOCOL_ERROR | close_code::TOO_LARGE,
        ) => Next::GiveUp,
        // The server is there and asks for it.
        Some(close_code::RELOAD | close_code::SLOW_READER) if failures == 0 => Next::After(Duration::ZERO),
        _ => Next::After(pause(failures, random)),
    }
}

/// Doubles with each failure; half of it is chance, so that clients do not come back all at once.
fn pause(failures: u32, random: f64) -> Duration {
    let full = SHORTEST.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST);
    full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn codes_decide() {
        for code in [1008, 1009, 4401, 4403] {
            assert_eq!(after_close(Some(code), 0, 0.0), Next::GiveUp);
        }
        assert_eq!(after_close(Some(4001), 3, 0.0), Next::NewToken);
        for code in [1012, 1013] {
            assert_eq!(after_close(Some(code), 0, 0.9), Next::After(Duration::ZERO));
            assert_ne!(after_close(Some(code), 1, 0.9), Next::After(Duration::ZERO));
        }
        assert!(matches!(after_close(Some(1011), 0, 0.0), Next::After(_)));
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_differ() {
        let of = |failures, random| match after_close(None, failures, random) {
            Next::After(pause) => pause.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!((of(0, 0.0), of(0, 1.0)), (50, 100));
        assert_eq!((of(3, 0.0), of(3, 1.0)), (400, 800));
        assert_eq!((of(40, 0.0), of(u32::MAX, 1.0)), (15_000, 30_000));
    }
}
