//! The horizontal map of two block rows.
//!
//! What enters: dequantised columns of the input blocks. What leaves: rows `[v][k][i]`: vertical frequency v (still of the
//! input; 0..8 of the upper block row, 8..16 of the lower), kept horizontal frequency k, output block i. A row of one
//! (v, k) is `stride` long, one of v `pitch`.

use super::convert::Column;
use crate::cpu::{Kernel, LANES, Simd, shuffle};
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
    /// From one k to the next: `blocks`, rounded up to what is transposed together.
    pub stride: usize,
    /// From one v to the next: `k * stride`, rounded up to an odd number of cache lines, so that rows of different v do
    /// not compete for one cache set.
    pub pitch: usize,
}

impl RowShape {
    /// The shape for that many output blocks and kept frequencies.
    pub fn new(blocks: usize, k: usize) -> RowShape {
        let stride = blocks.next_multiple_of(GROUP);
        let lines = (k * stride).div_ceil(LANES);
        RowShape { blocks, k, stride, pitch: LANES * (lines | 1) }
    }

    /// The values of one frequency, row-major index `8 * v + u`, of all output blocks.
    pub fn line(self, values: &[f32], frequency: u8) -> &[f32] {
        let (v, u) = (usize::from(frequency / 8), usize::from(frequency % 8));
        &values[v * self.pitch + u * self.stride..][..self.blocks]
    }
}

/// Applies the map: `rows[v][k][i] = sum over taps of weight[k] * column[v]`.
pub(crate) struct Horizontal<'a> {
    pub columns: &'a [Column],
    pub map: &'a CoefficientMap,
    pub shape: RowShape,
    /// 16 rows of `pitch`.
    pub rows: &'a mut [f32],
}

impl Kernel for Horizontal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Horizontal { columns, map, shape, rows } = self;
        let k = map.k();
        let mut group = [[Column::default(); GROUP]; 8];
        for start in (0..shape.blocks).step_by(GROUP) {
            for i in 0..GROUP.min(shape.blocks - start) {
                let (first, weights) = map.taps(start + i);
                let columns = &columns[8 * first..][..8 * map.count()[start + i] as usize];
                for from in (0..k).step_by(S::SUMS) {
                    let (weights, to) = (&weights[from..], &mut group[from..]);
                    match (k - from).min(S::SUMS) {
                        1 => store(simd, sum_taps::<S, 1>(simd, columns, weights, k), to, i),
                        2 => store(simd, sum_taps::<S, 2>(simd, columns, weights, k), to, i),
                        3 => store(simd, sum_taps::<S, 3>(simd, columns, weights, k), to, i),
                        _ => store(simd, sum_taps::<S, 4>(simd, columns, weights, k), to, i),
                    }
                }
            }
            for (k, group) in group[..k].iter().enumerate() {
                put_rows(simd, group, shape, k * shape.stride + start, rows);
            }
        }
    }
}

/// One output block, K of its frequencies; `k` weights a tap, the first K of them counted.
#[inline(always)]
fn sum_taps<S: Simd, const K: usize>(simd: S, columns: &[Column], weights: &[f32], k: usize) -> [S::F32x16; K] {
    let mut sums = [simd.splat(0.0); K];
    let mut at = 0;
    for column in columns {
        let Some(weights) = weights.get(at..at + K) else { break };
        let column = simd.load(column);
        for n in 0..K {
            sums[n] = simd.mul_add(simd.splat(weights[n]), column, sums[n]);
        }
        at += k;
    }
    sums
}

#[inline(always)]
fn store<S: Simd, const K: usize>(simd: S, sums: [S::F32x16; K], group: &mut [[Column; GROUP]], i: usize) {
    for n in 0..K {
        simd.store(sums[n], &mut group[n][i]);
    }
}

/// Columns of 8 blocks to rows: the 16 numbers of a column go to 16 rows, `place` being the first block's.
#[inline(always)]
fn put_rows<S: Simd>(simd: S, group: &[Column; GROUP], shape: RowShape, place: usize, rows: &mut [f32]) {
    let from = group.as_flattened();
    for half in [0, LANES / 2] {
        shuffle::transpose(simd, &from[half..], LANES, &mut rows[half * shape.pitch + place..], shape.pitch);
    }
}

/// No map: the first `shape.k` columns of every block, from `columns` on, rearranged.
pub(crate) struct Rearrange<'a> {
    pub columns: &'a [Column],
    pub shape: RowShape,
    /// 16 rows of `pitch`.
    pub rows: &'a mut [f32],
}

impl Kernel for Rearrange<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Rearrange { columns, shape, rows } = self;
        let blocks = &columns.as_chunks::<8>().0[..shape.blocks];
        let mut group = [Column::default(); GROUP];
        for (n, blocks) in blocks.chunks(GROUP).enumerate() {
            for k in 0..shape.k {
                group.iter_mut().zip(blocks).for_each(|(to, block)| *to = block[k]);
                put_rows(simd, &group, shape, k * shape.stride + n * GROUP, rows);
            }
        }
    }
}

/// Adds the map's constants, where it has any: along the other axis a constant is its zero frequency alone, times
/// sqrt(8).
pub(crate) fn apply_bias(map: &CoefficientMap, shape: RowShape, rows: &mut [f32]) {
    for (i, bias) in map.bias().chunks_exact(map.k()).enumerate() {
        for (k, b) in bias.iter().enumerate() {
            for v in [0, 8] {
                rows[v * shape.pitch + k * shape.stride + i] += SQRT_8 * b;
            }
        }
    }
}
