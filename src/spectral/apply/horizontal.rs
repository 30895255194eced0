//! The horizontal map of one block row.
//!
//! What enters: dequantised columns of the input blocks. What leaves: rows `[v][k][i]`: vertical frequency v (still of the
//! input), kept horizontal frequency k, output block i. A row of one (v, k) is `stride` long, one of v `pitch`.

use super::convert::Column;
use crate::spectral::axis::CoefficientMap;

/// The zero frequency of eight ones.
pub(crate) const SQRT_8: f32 = 2.0 * std::f32::consts::SQRT_2;

/// Output blocks transposed together.
const GROUP: usize = 8;

/// Sizes of a `[v][k][i]` array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RowShape {
    /// Output blocks.
    pub blocks: usize,
    /// Kept horizontal frequencies.
    pub k: usize,
    /// From one k to the next: `blocks`, rounded up to [`LANES`](super::LANES).
    pub stride: usize,
    /// From one v to the next. Never a multiple of 2 KB, so that the 8 rows of v do not compete for one cache set.
    pub pitch: usize,
}

impl RowShape {
    /// The shape for that many output blocks and kept frequencies.
    pub fn new(blocks: usize, k: usize) -> RowShape {
        let stride = blocks.next_multiple_of(super::LANES);
        let pitch = k * stride;
        let pitch = if pitch.is_multiple_of(512) { pitch + 2 * super::LANES } else { pitch };
        RowShape { blocks, k, stride, pitch }
    }

    /// The values of one frequency, row-major index `8 * v + u`, of all output blocks.
    pub fn line(self, values: &[f32], frequency: u8) -> &[f32] {
        let (v, u) = (usize::from(frequency / 8), usize::from(frequency % 8));
        &values[v * self.pitch + u * self.stride..][..self.blocks]
    }
}

/// Applies the map: `rows[v][k][i] = sum over taps of weight[k] * column[v]`.
pub(crate) fn apply_horizontal(columns: &[Column], map: &CoefficientMap, shape: RowShape, rows: &mut [f32]) {
    match map.k() {
        1 => apply::<1>(columns, map, shape, rows),
        2 => apply::<2>(columns, map, shape, rows),
        4 => apply::<4>(columns, map, shape, rows),
        _ => apply::<8>(columns, map, shape, rows),
    }
}

fn apply<const K: usize>(columns: &[Column], map: &CoefficientMap, shape: RowShape, rows: &mut [f32]) {
    for start in (0..shape.blocks).step_by(GROUP) {
        let count = GROUP.min(shape.blocks - start);
        let mut group = [[[0f32; 8]; K]; GROUP];
        for (i, sums) in group[..count].iter_mut().enumerate() {
            let (first, weights) = map.taps(start + i);
            let (weights, _) = weights.as_chunks::<K>();
            *sums = sum_taps(&columns[8 * first..], weights);
        }
        for k in 0..K {
            for v in 0..8 {
                let to = &mut rows[v * shape.pitch + k * shape.stride + start..][..count];
                to.iter_mut().zip(&group).for_each(|(to, sums)| *to = sums[k][v]);
            }
        }
    }
}

/// One output block: `[k][v]`.
#[inline]
fn sum_taps<const K: usize>(columns: &[Column], weights: &[[f32; K]]) -> [[f32; 8]; K] {
    let mut sums = [[0f32; 8]; K];
    for (column, weights) in columns.iter().zip(weights) {
        for (sums, weight) in sums.iter_mut().zip(weights) {
            sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += weight * x);
        }
    }
    sums
}

/// No map: the first `shape.k` columns of every block, rearranged.
pub(crate) fn apply_rearrange(columns: &[Column], shape: RowShape, rows: &mut [f32]) {
    for k in 0..shape.k {
        for v in 0..8 {
            let to = &mut rows[v * shape.pitch + k * shape.stride..][..shape.blocks];
            to.iter_mut().zip(columns.chunks_exact(8)).for_each(|(to, block)| *to = block[k][v]);
        }
    }
}

/// Adds the map's constants, where it has any: along the other axis a constant is its zero frequency alone, times
/// sqrt(8).
pub(crate) fn apply_bias(map: &CoefficientMap, shape: RowShape, rows: &mut [f32]) {
    for (i, bias) in map.bias().chunks_exact(map.k()).enumerate() {
        for (k, b) in bias.iter().enumerate() {
            rows[k * shape.stride + i] += SQRT_8 * b;
        }
    }
}
