//! The generator behind a plan: SplitMix64.
//!
//! It is written out here instead of taken from a library, because a seed that somebody noted has to give the same plan for
//! ever: libraries change what they make of a seed.

/// A sequence that its seed decides. Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits: the state moves by 2^64 divided by the golden ratio, and is mixed.
    pub(super) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of 32 bits.
    pub(super) const fn number(&mut self) -> u64 {
        self.bits() >> 32
    }

    /// From `least` to `most`, both included; of at most 32 bits.
    pub(super) const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + ((self.number() * (most - least + 1)) >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers that the generator's own authors publish for the seed 1234567.
    #[test]
    fn it_is_splitmix64() {
        let mut random = Random::new(1_234_567);
        let first = [random.bits(), random.bits(), random.bits()];
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn both_ends_are_reached_and_nothing_beyond() {
        let mut random = Random::new(7);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            let number = random.between(3, 7);
            assert!((3..=7).contains(&number));
            seen[usize::try_from(number - 3).unwrap_or(0)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.between(9, 9), 9);
    }
}
