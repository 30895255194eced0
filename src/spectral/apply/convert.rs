//! Quantised blocks to dequantised columns.
//!
//! What enters: one block row, zigzag order, and the quantisation table. What leaves: per block its 8 columns, each the
//! 8 vertical frequencies of one horizontal frequency. Two block rows share a column: lanes 0..8 and 8..16. The product of
//! an i16 and a u16 is formed in f32: it never wraps, and is exact below 2^24.

use std::ops::Range;

use crate::cpu::shuffle::{self, Order};
use crate::cpu::{Aligned, Kernel, LANES, Simd};
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

/// From zigzag to column-major.
const TO_COLUMNS: Order = Order::new(&COLUMN_MAJOR);

/// One column of two dequantised blocks, one above the other: 8 vertical frequencies of each.
pub(crate) type Column = [f32; LANES];

/// The steps of a table in column-major order.
pub(crate) fn column_steps(table: &QuantTable) -> [f32; 64] {
    std::array::from_fn(|i| f32::from(table.0[COLUMN_MAJOR[i] as usize]))
}

/// Dequantises blocks of a block row into one half of the columns.
pub(crate) struct Dequantise<'a> {
    pub row: TileRow<'a>,
    /// Block columns; the others are left as they are.
    pub wanted: Range<usize>,
    /// Column-major.
    pub steps: &'a [f32; 64],
    /// 0 or 1.
    pub half: usize,
    /// 8 columns a block, block 0 of the row first.
    pub columns: &'a mut [Column],
}

impl Kernel for Dequantise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Dequantise { row, wanted, steps, half, columns } = self;
        let mut ordered = Aligned([[0; 64]; shuffle::BLOCKS]);
        let steps = steps.as_chunks::<LANES>().0;
        for start in wanted.clone().step_by(shuffle::BLOCKS) {
            let count = shuffle::BLOCKS.min(wanted.end - start);
            let blocks: [&Block; shuffle::BLOCKS] = std::array::from_fn(|b| row.block(start + b.min(count - 1)));
            shuffle::reorder(simd, &blocks[..count], &TO_COLUMNS, &mut ordered.0);
            let columns = columns[8 * start..8 * (start + count)].as_chunks_mut::<8>().0;
            for (block, columns) in ordered.0.iter().zip(columns) {
                let pairs = columns.as_chunks_mut::<2>().0.iter_mut();
                for ((pair, values), steps) in pairs.zip(block.as_chunks::<LANES>().0).zip(steps) {
                    let [low, high] = pair.each_mut().map(|column| &mut column.as_chunks_mut::<8>().0[half & 1]);
                    simd.store_halves(simd.mul(simd.load_i16(values), simd.load(steps)), low, high);
                }
            }
        }
    }
}

/// Dequantises one block into 64 values, column-major.
pub(crate) fn dequantise_block(block: &Block, steps: &[f32; 64], columns: &mut [f32]) {
    for ((to, &position), step) in columns.iter_mut().zip(&COLUMN_MAJOR).zip(steps) {
        // The mask shows the compiler that the position is in range.
        *to = f32::from(block[(position & 63) as usize]) * step;
    }
}
