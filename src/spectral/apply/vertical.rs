//! The vertical map, one input block row at a time.
//!
//! What enters: rows `[v][k][i]` of one input block row. What changes: the accumulator `[w][k][i]` of one open output
//! block row, w being the kept vertical frequencies.

use super::LANES;
use super::horizontal::{RowShape, SQRT_8};
use crate::cpu::{Cpu, Kernel, Level, Simd};
use crate::spectral::axis::CoefficientMap;

/// The share of one input block row in an output row.
#[derive(Debug)]
pub(crate) struct Vertical<'a> {
    /// `[v][k][i]` of the input block row.
    pub rows: &'a [f32],
    pub shape: RowShape,
    /// 8 * `kept` values, w fastest.
    pub weights: &'a [f32],
    pub kept: usize,
    /// `[w][k][i]` of the output row.
    pub sums: &'a mut [f32],
    /// Starts from zero instead of what `sums` holds.
    pub first: bool,
}

/// Adds the share: `sums[w] += sum over v of weight[v][w] * rows[v]`.
pub(crate) fn apply_vertical(cpu: Cpu, share: Vertical<'_>) {
    // Compiled for 512 bits, eight kept frequencies take more than twice the time they take in 256.
    Cpu::at_most(cpu.level().min(Level::V3)).run(share);
}

impl Kernel for Vertical<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.kept {
            1 => self.add::<S, 1>(simd),
            2 => self.add::<S, 2>(simd),
            4 => self.add::<S, 4>(simd),
            _ => self.add::<S, 8>(simd),
        }
    }
}

impl Vertical<'_> {
    #[inline(always)]
    fn add<S: Simd, const W: usize>(self, simd: S) {
        let Vertical { rows, shape, weights, sums, first, .. } = self;
        let (weights, _) = weights.as_chunks::<W>();
        for x in (0..shape.k * shape.stride).step_by(LANES) {
            let mut total = [[0f32; LANES]; W];
            if !first {
                for (w, total) in total.iter_mut().enumerate() {
                    total.copy_from_slice(&sums[w * shape.pitch + x..][..LANES]);
                }
            }
            for (v, weights) in weights.iter().enumerate() {
                let row = &rows[v * shape.pitch + x..][..LANES];
                for (total, weight) in total.iter_mut().zip(weights) {
                    total.iter_mut().zip(row).for_each(|(total, value)| *total = simd.mul_add(*weight, *value, *total));
                }
            }
            for (w, total) in total.iter().enumerate() {
                sums[w * shape.pitch + x..][..LANES].copy_from_slice(total);
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
