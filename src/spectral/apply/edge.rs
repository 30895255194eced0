//! The last, partial blocks of a component that is otherwise stored as it is.
//!
//! What enters: one block, and the map of the last block along one axis or both. What leaves: its wanted frequencies in
//! their places. This keeps edge `replicate` at the cost of edge `stored`: only blocks at the right and lower border go
//! through a map.

use super::convert::{Column, dequantise_block};
use super::target::{Place, Target};
use crate::scans::Block;
use crate::spectral::axis::CoefficientMap;
use crate::spectral::plan::Output;

/// The maps of one block, where it is the last of its row or column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EdgeMaps<'a> {
    pub horizontal: Option<&'a CoefficientMap>,
    pub vertical: Option<&'a CoefficientMap>,
}

/// Maps one block and writes its outputs. Returns how many values saturated.
pub(crate) fn apply_edge(
    block: &Block,
    steps: &[f32; 64],
    maps: EdgeMaps<'_>,
    outputs: &[Output],
    (row, column): (usize, usize),
    target: &mut Target,
) -> u64 {
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
        saturated += target.write_row(place, &[value], output.scale, output.shift);
    }
    saturated
}

/// The last output block of the map: `to[k] = sum over u of weight[u][k] * from[u]`, kept frequencies only.
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

fn transposed(m: &[Column; 8]) -> [Column; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}
