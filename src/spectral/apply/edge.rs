//! The last, partial blocks of a component that is otherwise stored as it is.
//!
//! What enters: one block, and the map of the last block along one axis or both. What leaves: its wanted frequencies in
//! their places. This keeps edge `replicate` at the cost of edge `stored`: only blocks at the right and lower border go
//! through a map.

use super::convert::dequantise_block;
use super::target::{Place, Target};
use crate::cpu::{Kernel, Simd};
use crate::scans::Block;
use crate::spectral::axis::CoefficientMap;
use crate::spectral::plan::Output;

/// The maps of one block, where it is the last of its row or column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EdgeMaps<'a> {
    pub horizontal: Option<&'a CoefficientMap>,
    pub vertical: Option<&'a CoefficientMap>,
}

/// One column of one block: its 8 vertical frequencies.
type Column = [f32; 8];

/// Maps one block and writes its outputs. Gives how many values saturated.
pub(crate) struct EdgeBlock<'a, 'm> {
    pub block: &'a Block,
    /// Quantisation steps, column-major.
    pub steps: &'a [f32; 64],
    pub maps: EdgeMaps<'a>,
    pub outputs: &'a [Output],
    /// Row and column of the target.
    pub place: (usize, usize),
    pub target: &'a mut Target<'m>,
}

impl Kernel for EdgeBlock<'_, '_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let EdgeBlock { block, steps, maps, outputs, place: (row, column), target } = self;
        let mut columns = [Column::default(); 8];
        dequantise_block(block, steps, columns.as_flattened_mut());
        if let Some(map) = maps.horizontal {
            columns = apply_last(map, &columns);
        }
        if let Some(map) = maps.vertical {
            columns = transposed(&apply_last(map, &transposed(&columns)));
        }
        let mut saturated = 0;
        for output in outputs {
            let value = columns[usize::from(output.frequency % 8)][usize::from(output.frequency / 8)];
            let place = Place { channel: output.channel, row, column };
            saturated += target.write_row(simd, place, &[value], output.scale, output.shift);
        }
        saturated
    }
}

/// The last output block of the map: `to[k] = sum over u of weight[u][k] * from[u]`, kept frequencies only.
#[inline(always)]
fn apply_last(map: &CoefficientMap, from: &[Column; 8]) -> [Column; 8] {
    let mut to = [Column::default(); 8];
    let (_, weights) = map.taps(map.blocks_out() - 1);
    for (from, weights) in from.iter().zip(weights.chunks_exact(map.k())) {
        for (to, weight) in to.iter_mut().zip(weights) {
            to.iter_mut().zip(from).for_each(|(to, x)| *to += weight * x);
        }
    }
    to
}

#[inline(always)]
fn transposed(m: &[Column; 8]) -> [Column; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}
