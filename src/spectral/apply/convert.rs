//! Quantised blocks to dequantised columns.
//!
//! What enters: one block row, zigzag order, and the quantisation table. What leaves: per block its 8 columns, each the
//! 8 vertical frequencies of one horizontal frequency. The product of an i16 and a u16 is formed in f32: it never wraps,
//! and is exact below 2^24.

use std::ops::Range;

use crate::scans::{Block, TileRow};
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ZIGZAG;

/// Column-major index `8 * u + v` -> zigzag position.
const COLUMN_MAJOR: [u8; 64] = {
    let mut order = [0; 64];
    let mut i = 0;
    while i < 64 {
        order[i] = ZIGZAG[8 * (i % 8) + i / 8];
        i += 1;
    }
    order
};

/// One column of a dequantised block: its 8 vertical frequencies.
pub(crate) type Column = [f32; 8];

/// The steps of a table in column-major order.
pub(crate) fn column_steps(table: &QuantTable) -> [f32; 64] {
    std::array::from_fn(|i| f32::from(table.0[COLUMN_MAJOR[i] as usize]))
}

/// Dequantises blocks `wanted` of a block row into `columns`: 8 columns a block, block 0 first; the others are left as
/// they are.
pub(crate) fn apply_dequantise(row: TileRow<'_>, wanted: Range<usize>, steps: &[f32; 64], columns: &mut [Column]) {
    let columns = columns.as_flattened_mut().chunks_exact_mut(64).skip(wanted.start);
    for (x, columns) in wanted.zip(columns) {
        dequantise_block(row.block(x), steps, columns);
    }
}

/// Dequantises one block into 64 values, column-major.
pub(crate) fn dequantise_block(block: &Block, steps: &[f32; 64], columns: &mut [f32]) {
    for ((to, &position), step) in columns.iter_mut().zip(&COLUMN_MAJOR).zip(steps) {
        // The mask shows the compiler that the position is in range.
        *to = f32::from(block[(position & 63) as usize]) * step;
    }
}
