//! Chroma upsampling by two, as few products as its symmetries allow.
//!
//! What enters: one of the three rules of upsampling. What leaves: weights that are the same for every block. An input
//! block becomes two output blocks that are mirror images of each other: reflected, a spectrum changes the signs of
//! its odd frequencies. So with E the share of the even input frequencies in an output frequency and O that of the odd ones
//!
//! - left half: `y[f] = E[f] + O[f] + beside[f] * l`
//! - right half: `y[f] = (-1)^f * (E[f] - O[f] + beside[f] * r)`
//!
//! l is the last sample of the block before, r the first of the block behind: all that upsampling sees of its neighbours.
//! At the border, where samples repeat, they are the block's own first and last. These are a third of the products of
//! the map as a matrix.

use std::sync::LazyLock;

use super::{AxisMap, CoefficientMap, Ratio};
use crate::recipe::Chroma;
use crate::spectral::dct;

/// The weights of one rule.
#[derive(Debug)]
pub(crate) struct Doubling {
    /// `[f][u]`: what input frequency u adds to output frequency f of the left half.
    pub weights: [[f32; dct::N]; dct::N],
    /// What the neighbour's sample adds to output frequency f.
    pub beside: [f32; dct::N],
}

static TRIANGLE: LazyLock<Doubling> = LazyLock::new(|| Doubling::new(AxisMap::triangle));
static REPLICATE: LazyLock<Doubling> = LazyLock::new(|| Doubling::new(AxisMap::replicate));
static ZERO_PAD: LazyLock<Doubling> = LazyLock::new(|| Doubling::new(AxisMap::zero_pad));

impl Doubling {
    /// Of that rule; none where nothing is upsampled.
    pub fn of(chroma: Chroma) -> Option<&'static Doubling> {
        match chroma {
            Chroma::Triangle => Some(&TRIANGLE),
            Chroma::Replicate => Some(&REPLICATE),
            Chroma::ZeroPad => Some(&ZERO_PAD),
            Chroma::None => None,
        }
    }

    /// How many output blocks, from the first on, this makes of so many samples. The others, two at most, are where a
    /// block is not full: their samples repeat inside a block.
    pub fn regular(samples_in: usize, samples_out: usize) -> usize {
        (samples_out / dct::N).min(samples_in / dct::N * 2)
    }

    /// From the map of three blocks to six.
    fn new(rule: fn(usize, usize, Ratio) -> AxisMap) -> Doubling {
        let map = CoefficientMap::<f64>::new(&rule(3 * dct::N, 6 * dct::N, Ratio::new(2, 1)), dct::N);
        // The left half of the block in the middle.
        let (first, taps) = map.taps(2);
        let blocks = taps.as_chunks::<{ dct::N }>().0.as_chunks::<{ dct::N }>().0;
        let mut doubling = Doubling { weights: [[0.0; dct::N]; dct::N], beside: [0.0; dct::N] };
        for (block, columns) in (first..).zip(blocks) {
            for (u, column) in columns.iter().enumerate() {
                for (f, weight) in column.iter().enumerate() {
                    match block {
                        // The neighbour's weights are those of its last sample times `beside`.
                        0 => doubling.beside[f] += (weight * dct::D_T[dct::N - 1][u]) as f32,
                        _ => doubling.weights[f][u] = *weight as f32,
                    }
                }
            }
        }
        doubling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies the rule as the head of this file says, in f64.
    fn double(doubling: &Doubling, blocks: &[[f64; 8]]) -> Vec<[f64; 8]> {
        let sample = |block: &[f64; 8], x: usize| dct::D_T[x].iter().zip(block).map(|(d, x)| d * x).sum::<f64>();
        let mut doubled = Vec::new();
        for (i, block) in blocks.iter().enumerate() {
            let before = if i == 0 { sample(block, 0) } else { sample(&blocks[i - 1], 7) };
            let behind = blocks.get(i + 1).map_or(sample(block, 7), |next| sample(next, 0));
            let [mut left, mut right] = [[0.0; 8]; 2];
            for f in 0..8 {
                let share =
                    |odd| (odd..8).step_by(2).map(|u| f64::from(doubling.weights[f][u]) * block[u]).sum::<f64>();
                let (even, odd, beside) = (share(0), share(1), f64::from(doubling.beside[f]));
                left[f] = even + odd + beside * before;
                right[f] = (even - odd + beside * behind) * if f % 2 == 0 { 1.0 } else { -1.0 };
            }
            doubled.extend([left, right]);
        }
        doubled
    }

    #[test]
    fn it_is_the_map_as_a_matrix() {
        let rules: [(_, fn(usize, usize, Ratio) -> AxisMap); 3] = [
            (Chroma::Triangle, AxisMap::triangle),
            (Chroma::Replicate, AxisMap::replicate),
            (Chroma::ZeroPad, AxisMap::zero_pad),
        ];
        for (chroma, rule) in rules {
            let doubling = Doubling::of(chroma).unwrap();
            for blocks in [1, 2, 5] {
                let spectra: Vec<[f64; 8]> =
                    (0..blocks).map(|b| std::array::from_fn(|u| ((b * 8 + u) * 37 % 64) as f64 - 31.0)).collect();
                let map = CoefficientMap::<f64>::new(&rule(8 * blocks, 16 * blocks, Ratio::new(2, 1)), 8);
                let (found, expected) = (double(doubling, &spectra), map.apply(&spectra));
                let pairs = found.as_flattened().iter().zip(expected.as_flattened());
                pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{chroma:?}: {a} instead of {b}"));
            }
        }
    }

    #[test]
    fn blocks_that_are_not_full_are_the_last_two_at_most() {
        // 18 samples in three blocks, of which two are full.
        assert_eq!(Doubling::regular(18, 36), 4);
        assert_eq!(Doubling::regular(24, 40), 5);
        assert_eq!(Doubling::regular(16, 31), 3);
        assert_eq!(Doubling::regular(3, 5), 0);
    }
}
