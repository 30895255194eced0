//! The horizontal map of two block rows.
//!
//! What enters: dequantised columns of the input blocks. What leaves: rows `[v][k][i]`: vertical frequency v (still of the
//! input; 0..8 of the upper block row, 8..16 of the lower), kept horizontal frequency k, output block i. A row of one
//! (v, k) is `stride` long, one of v `pitch`.

use super::convert::Column;
use crate::cpu::{Aligned, Kernel, LANES, Simd, shuffle};
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
    /// From one k to the next: `blocks`, rounded up to what is taken together.
    pub stride: usize,
    /// From one v to the next: `k * stride`, rounded up to an odd number of cache lines, so that rows of different v do
    /// not compete for one cache set.
    pub pitch: usize,
}

impl RowShape {
    /// The shape for that many output blocks and kept frequencies.
    pub fn new(blocks: usize, k: usize) -> RowShape {
        RowShape::with_lines_of(GROUP, blocks, k)
    }

    /// The same with lines of whole groups of blocks.
    pub fn with_lines_of(group: usize, blocks: usize, k: usize) -> RowShape {
        let stride = blocks.next_multiple_of(group);
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
        for_kept!(self.map.k(), self.apply::<S>(simd))
    }
}

impl Horizontal<'_> {
    /// For maps that keep K frequencies.
    #[inline(always)]
    fn apply<S: Simd, const K: usize>(self, simd: S) {
        let Horizontal { columns, map, shape, rows } = self;
        let columns = columns.as_chunks::<8>().0;
        let mut group = Aligned([[Column::default(); GROUP]; K]);
        for start in (0..shape.blocks).step_by(GROUP) {
            for i in 0..GROUP.min(shape.blocks - start) {
                let (first, weights) = map.taps(start + i);
                let taps = columns[first..].iter().zip(weights.as_chunks::<K>().0.as_chunks::<8>().0);
                let mut from = 0;
                while from < K {
                    from += match (K - from).min(S::SUMS) {
                        1 => sum_taps::<S, K, 1, 2>(simd, taps.clone(), from, &mut group.0, i),
                        2 => sum_taps::<S, K, 2, 2>(simd, taps.clone(), from, &mut group.0, i),
                        3 => sum_taps::<S, K, 3, 1>(simd, taps.clone(), from, &mut group.0, i),
                        _ => sum_taps::<S, K, 4, 1>(simd, taps.clone(), from, &mut group.0, i),
                    }
                }
            }
            for (k, group) in group.0.iter().enumerate() {
                put_rows(simd, group, shape, k * shape.stride + start, rows);
            }
        }
    }
}

/// One output block, `group[..][i]`: N of its K frequencies, from `from` on; returns N. Taps take turns in SETS sets of
/// sums, since a sum is ready for its next tap only some cycles later.
#[inline(always)]
fn sum_taps<'a, S: Simd, const K: usize, const N: usize, const SETS: usize>(
    simd: S,
    taps: impl Iterator<Item = (&'a [Column; 8], &'a [[f32; K]; 8])>,
    from: usize,
    group: &mut [[Column; GROUP]; K],
    i: usize,
) -> usize {
    let mut sums = [[simd.splat(0.0); N]; SETS];
    for (columns, weights) in taps {
        for u in (0..8).step_by(SETS) {
            for (set, sums) in sums.iter_mut().enumerate() {
                let column = simd.load(&columns[u + set]);
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.mul_add(simd.splat(weights[u + set][from + n]), column, *sum);
                }
            }
        }
    }
    for n in 0..N {
        let sum = (1..SETS).fold(sums[0][n], |sum, set| simd.add(sum, sums[set][n]));
        simd.store(sum, &mut group[from + n][i]);
    }
    N
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
        let mut group = Aligned([Column::default(); GROUP]);
        for (n, blocks) in blocks.chunks(GROUP).enumerate() {
            for k in 0..shape.k {
                group.0.iter_mut().zip(blocks).for_each(|(to, block)| *to = block[k]);
                put_rows(simd, &group.0, shape, k * shape.stride + n * GROUP, rows);
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
