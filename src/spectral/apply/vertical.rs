//! The vertical map, two input block rows at a time.
//!
//! What enters: rows `[v][k][i]` of one or two input block rows. What changes: the accumulator `[w][k][i]` of one open
//! output block row, w being the kept vertical frequencies.

use super::horizontal::{RowShape, SQRT_8};
use crate::cpu::{Kernel, LANES, Simd};
use crate::spectral::axis::CoefficientMap;

/// The share of input block rows in an output row: `sums[w] += sum over v of weight[v][w] * rows[v]`.
pub(crate) struct Vertical<'a> {
    /// From the first v that has weights on.
    pub rows: &'a [f32],
    pub shape: RowShape,
    /// `kept` values a v, w fastest.
    pub weights: &'a [f32],
    pub kept: usize,
    /// `[w][k][i]` of the output row.
    pub sums: &'a mut [f32],
    /// Starts from zero instead of what `sums` holds.
    pub first: bool,
}

impl Kernel for Vertical<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for from in (0..self.kept).step_by(S::SUMS) {
            match (self.kept - from).min(S::SUMS) {
                1 => self.add::<S, 1>(simd, from),
                2 => self.add::<S, 2>(simd, from),
                3 => self.add::<S, 3>(simd, from),
                _ => self.add::<S, 4>(simd, from),
            }
        }
    }
}

impl Vertical<'_> {
    /// Output frequencies `from..from + W`.
    #[inline(always)]
    fn add<S: Simd, const W: usize>(&mut self, simd: S, from: usize) {
        let lines = (self.shape.k * self.shape.stride).div_ceil(LANES);
        let taps = self.weights.len() / self.kept;
        // Two lines share each weight where there are registers for them.
        let pairs = if simd.v4().is_some() { lines / 2 } else { 0 };
        for pair in 0..pairs {
            self.add_lines::<S, W, 2>(simd, from, taps, 2 * pair);
        }
        for line in 2 * pairs..lines {
            self.add_lines::<S, W, 1>(simd, from, taps, line);
        }
    }

    /// The same for L times 16 numbers of a row.
    #[inline(always)]
    fn add_lines<S: Simd, const W: usize, const L: usize>(&mut self, simd: S, from: usize, taps: usize, line: usize) {
        let Vertical { rows, shape, weights, kept, ref mut sums, first } = *self;
        let x = line * LANES;
        let line = |y: usize| y * shape.pitch + x..y * shape.pitch + x + L * LANES;
        let mut totals = [[simd.splat(0.0); L]; W];
        if !first {
            for w in 0..W {
                let sums = sums[line(from + w)].as_chunks::<LANES>().0;
                for l in 0..L {
                    totals[w][l] = simd.load(&sums[l]);
                }
            }
        }
        for v in 0..taps {
            // Rows have slack behind the last of their numbers, so that the last line is a full one.
            let row = rows[line(v)].as_chunks::<LANES>().0;
            let weights = &weights[v * kept + from..][..W];
            let row: [_; L] = std::array::from_fn(|l| simd.load(&row[l]));
            for w in 0..W {
                let weight = simd.splat(weights[w]);
                for l in 0..L {
                    totals[w][l] = simd.mul_add(weight, row[l], totals[w][l]);
                }
            }
        }
        for w in 0..W {
            let sums = sums[line(from + w)].as_chunks_mut::<LANES>().0;
            for l in 0..L {
                simd.store(totals[w][l], &mut sums[l]);
            }
        }
    }
}

/// Adds the map's constants to finished output row `o`, where it has any: they are in the zero horizontal frequency.
pub(crate) fn apply_row_bias(map: &CoefficientMap, o: usize, shape: RowShape, sums: &mut [f32]) {
    if let Some(bias) = map.bias().chunks_exact(map.k()).nth(o) {
        for (w, b) in bias.iter().enumerate() {
            sums[w * shape.pitch..][..shape.blocks].iter_mut().for_each(|sum| *sum += SQRT_8 * b);
        }
    }
}
