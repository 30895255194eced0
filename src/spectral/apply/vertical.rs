//! The vertical map, one input block row at a time.
//!
//! What enters: rows `[v][k][i]` of one input block row. What changes: the accumulator `[w][k][i]` of one open output
//! block row, w being the kept vertical frequencies.

use super::LANES;
use super::horizontal::{RowShape, SQRT_8};
use crate::spectral::axis::CoefficientMap;

/// Adds the share of one input block row to an output row: `sums[w] += sum over v of weight[v][w] * rows[v]`, `weights`
/// being 8 * `kept` values, w fastest. `first` starts from zero instead of what `sums` holds.
pub(crate) fn apply_vertical(
    rows: &[f32],
    shape: RowShape,
    weights: &[f32],
    kept: usize,
    sums: &mut [f32],
    first: bool,
) {
    match kept {
        1 => apply::<1>(rows, shape, weights, sums, first),
        2 => apply::<2>(rows, shape, weights, sums, first),
        4 => apply::<4>(rows, shape, weights, sums, first),
        _ => apply::<8>(rows, shape, weights, sums, first),
    }
}

fn apply<const W: usize>(rows: &[f32], shape: RowShape, weights: &[f32], sums: &mut [f32], first: bool) {
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
                total.iter_mut().zip(row).for_each(|(total, value)| *total += weight * value);
            }
        }
        for (w, total) in total.iter().enumerate() {
            sums[w * shape.pitch + x..][..LANES].copy_from_slice(total);
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
