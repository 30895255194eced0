//! Components that need no map: select, dequantise, normalise and store in one pass.
//!
//! What enters: one block row, zigzag order. What leaves: its wanted frequencies in their places. The quantisation step
//! and the scale of the normalisation are one factor.

use std::ops::Range;

use super::target::{Element, Place, Strides, Target, put_lanes};
use crate::cpu::shuffle::{self, BLOCKS, Order};
use crate::cpu::{Aligned, Kernel, LANES, Simd};
use crate::scans::{Block, TileRow};
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ZIGZAG;
use crate::spectral::plan::Output;
use crate::tensor::Values;

/// A wanted coefficient and what it is multiplied by.
#[derive(Debug, Clone, Copy)]
struct Pick {
    /// Zigzag position, 0..=63.
    position: u8,
    channel: usize,
    /// Quantisation step times scale.
    factor: f32,
    shift: f32,
}

/// The wanted coefficients of one component.
#[derive(Debug)]
pub(crate) struct Direct {
    /// By zigzag position.
    picks: Vec<Pick>,
    /// The same in channel order, for channels side by side.
    block: BlockPicks,
}

/// What becomes of a block as a whole: its coefficients in channel order.
#[derive(Debug)]
struct BlockPicks {
    order: Order,
    factors: [f32; 64],
    shifts: [f32; 64],
    /// The first channel; a component's channels are consecutive.
    channel: usize,
    count: usize,
}

impl Direct {
    /// From the outputs and the table; without a table the values stay quantised.
    pub fn new(outputs: &[Output], table: Option<&QuantTable>) -> Direct {
        let pick = |output: &Output| {
            let position = ZIGZAG[usize::from(output.frequency)];
            let step = table.map_or(1.0, |table| f32::from(table.0[usize::from(position)]));
            Pick { position, channel: output.channel, factor: step * output.scale, shift: output.shift }
        };
        let mut picks: Vec<Pick> = outputs.iter().map(pick).collect();
        let (mut order, mut factors, mut shifts) = ([0; 64], [0.0; 64], [0.0; 64]);
        for (i, pick) in picks.iter().take(64).enumerate() {
            (order[i], factors[i], shifts[i]) = (pick.position, pick.factor, pick.shift);
        }
        let channel = picks.first().map_or(0, |pick| pick.channel);
        let block = BlockPicks { order: Order::new(&order), factors, shifts, channel, count: picks.len().min(64) };
        picks.sort_unstable_by_key(|pick| pick.position);
        Direct { picks, block }
    }
}

/// Writes blocks `columns` of a block row to output row `to`. Gives how many values saturated.
pub(crate) struct DirectRow<'a> {
    pub direct: &'a Direct,
    pub row: TileRow<'a>,
    pub columns: Range<usize>,
    pub to: usize,
    pub target: &'a mut Target,
}

impl Kernel for DirectRow<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let DirectRow { direct, row, columns, to, target } = self;
        let (values, strides) = target.parts();
        let source = Source { row, columns, to, strides };
        match values {
            Values::F32(values) => source.write(simd, direct, values),
            Values::F16(values) => source.write(simd, direct, values),
            Values::I16(values) => source.write(simd, direct, values),
            Values::U16(_) => 0, // never a target
        }
    }
}

/// A block row and where it goes.
struct Source<'a> {
    row: TileRow<'a>,
    columns: Range<usize>,
    to: usize,
    strides: Strides,
}

impl Source<'_> {
    #[inline(always)]
    fn write<S: Simd, E: Element>(self, simd: S, direct: &Direct, values: &mut [E]) -> u64 {
        if self.strides.channel == 1 {
            self.write_blocks(simd, &direct.block, values)
        } else {
            self.write_planes(simd, &direct.picks, values)
        }
    }

    /// Channels apart: 16 blocks at a time, 8 coefficients side by side. The last 16 overlap the ones before where the
    /// width is no multiple.
    #[inline(always)]
    fn write_planes<S: Simd, E: Element>(self, simd: S, picks: &[Pick], values: &mut [E]) -> u64 {
        let Source { row, columns, to, strides } = self;
        let mut side_by_side = Aligned([[0; BLOCKS]; 8]);
        let mut saturated = 0;
        let mut done = columns.start;
        while done < columns.end {
            let start = done.min(columns.end.saturating_sub(BLOCKS)).max(columns.start);
            let count = BLOCKS.min(columns.end - start);
            let blocks: [&Block; BLOCKS] = std::array::from_fn(|b| row.block(start + b.min(count - 1)));
            let mut gathered = usize::MAX;
            for pick in picks {
                let (group, i) = (usize::from(pick.position / 8), usize::from(pick.position % 8));
                if group != gathered {
                    shuffle::gather(simd, &blocks, group, &mut side_by_side.0);
                    gathered = group;
                }
                let (factor, shift) = (simd.splat(pick.factor), simd.splat(pick.shift));
                let value = simd.mul_add(simd.load_i16(&side_by_side.0[i]), factor, shift);
                let place = Place { channel: pick.channel, row: to, column: start - columns.start };
                let values = &mut values[strides.place(place)..];
                saturated += put_lanes(simd, value, values, strides.column, (done - start, count));
            }
            done = start + count;
        }
        saturated
    }

    /// Channels side by side: a block at a time.
    #[inline(always)]
    fn write_blocks<S: Simd, E: Element>(self, simd: S, picks: &BlockPicks, values: &mut [E]) -> u64 {
        let Source { row, columns, to, strides } = self;
        let mut ordered = Aligned([[0; 64]; BLOCKS]);
        let mut saturated = 0;
        for start in columns.clone().step_by(BLOCKS) {
            let count = BLOCKS.min(columns.end - start);
            let blocks: [&Block; BLOCKS] = std::array::from_fn(|b| row.block(start + b.min(count - 1)));
            shuffle::reorder(simd, &blocks[..count], &picks.order, &mut ordered.0);
            for (b, block) in ordered.0[..count].iter().enumerate() {
                let place = Place { channel: picks.channel, row: to, column: start - columns.start + b };
                let values = &mut values[strides.place(place)..][..picks.count];
                let (factors, shifts) = (picks.factors.as_chunks::<LANES>().0, picks.shifts.as_chunks::<LANES>().0);
                let numbers = block.as_chunks::<LANES>().0.iter().zip(factors.iter().zip(shifts));
                for (to, (numbers, (factors, shifts))) in values.chunks_mut(LANES).zip(numbers) {
                    let value = simd.mul_add(simd.load_i16(numbers), simd.load(factors), simd.load(shifts));
                    let end = to.len();
                    saturated += put_lanes(simd, value, to, 1, (0, end));
                }
            }
        }
        saturated
    }
}
