//! Randomness that replays from one number.

use std::time::{SystemTime, UNIX_EPOCH};

/// A seeded generator (SplitMix64). The same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Takes the seed from `LUNORA_SEED`, else the given one, and prints it with the test's name, so
    /// that a failure can be repeated.
    ///
    /// # Panics
    /// When `LUNORA_SEED` is set to something that is not a number.
    #[must_use]
    pub fn from_environment(name: &str, default_seed: u64) -> Self {
        let seed = match std::env::var("LUNORA_SEED") {
            Ok(text) => match text.trim().parse() {
                Ok(seed) => seed,
                Err(error) => panic!("LUNORA_SEED is `{text}`, which is not a seed: {error}"),
            },
            Err(_) => default_seed,
        };
        eprintln!("{name}: LUNORA_SEED={seed}");
        Self::new(seed)
    }

    /// The same with another seed each time, for tests that look for what nobody thought of.
    ///
    /// # Panics
    /// When `LUNORA_SEED` is set to something that is not a number.
    #[must_use]
    pub fn anew(name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_environment(name, now.subsec_nanos().into())
    }

    /// Starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from zero up to, and not including, the limit; zero when the limit is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        let wide = u128::from(self.next_u64()) * limit as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of the items.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, Item>(&mut self, items: &'a [Item]) -> &'a Item {
        assert!(!items.is_empty(), "nothing to pick from");
        &items[self.below(items.len())]
    }

    /// A generator of its own for a part of a test, so that the part can be repeated alone.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn repeats_from_its_seed_and_stays_below_the_limit() {
        let (mut one, mut two) = (Random::new(42), Random::new(42));
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            let number = one.below(7);
            assert_eq!(number, two.below(7));
            seen[number] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(one.below(0), 0);
    }
}
