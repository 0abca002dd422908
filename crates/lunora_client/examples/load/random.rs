//! Repeatable choices.

use std::rc::Rc;

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// Chooses index `i` of `n` with a weight of `1 / (i + 1)^alpha`.
/// Writers share the table.
#[derive(Clone)]
pub struct Zipf(Rc<[f64]>);

impl Zipf {
    pub fn new(count: usize, alpha: f64) -> Self {
        Self(cumulative(count, alpha).into())
    }

    pub fn choose(&self, random: &mut Random) -> usize {
        let total = self.0.last().copied().unwrap_or(0.0);
        let wanted = random.fraction() * total;
        self.0.partition_point(|sum| *sum <= wanted).min(self.0.len() - 1)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn cumulative(count: usize, alpha: f64) -> Vec<f64> {
    let mut sum = 0.0;
    (1..=count)
        .map(|rank| {
            sum += (rank as f64).powf(-alpha);
            sum
        })
        .collect()
}
