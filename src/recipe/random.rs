//! Reproducible random numbers, from a seed and a name.
//!
//! What enters: a recipe's seed, the name of a step and an image's key. What leaves: numbers that depend on these alone,
//! the same on every machine. Not for secrets.

use crate::spec::fingerprint::Fnv1a;

/// A generator: SplitMix64 (Steele, Lea and Flood 2014), started from a hash.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of one step on one image. Steps have streams of their own, so that one more step does not change what
    /// the others draw.
    pub fn new(seed: u64, step: &str, key: &str) -> Random {
        let mut hash = Fnv1a::default();
        hash.write(&seed.to_le_bytes());
        hash.write(step.as_bytes());
        hash.write(&[0]);
        hash.write(key.as_bytes());
        Random(hash.finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform between two numbers.
    pub fn between(&mut self, least: f64, greatest: f64) -> f64 {
        least + (greatest - least) * self.uniform()
    }

    /// Uniform in `0..n`, `n` above 0. The bias of the multiplication is below n / 2^64.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        let mut random = Random(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.next()), expected);
    }

    #[test]
    fn streams_differ_and_numbers_fill_their_range() {
        assert_ne!(Random::new(1, "crop", "a").next(), Random::new(1, "flip", "a").next());
        assert_ne!(Random::new(1, "crop", "a").next(), Random::new(2, "crop", "a").next());
        let mut random = Random::new(0, "", "");
        let mut counts = [0; 5];
        (0..5000).for_each(|_| counts[random.below(5) as usize] += 1);
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        let mean = (0..5000).map(|_| random.uniform()).sum::<f64>() / 5000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
