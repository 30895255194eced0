//! Components that need no map: select, dequantise, normalise and store in one pass.
//!
//! What enters: the block rows of a tile, zigzag order. What leaves: their wanted frequencies in their places. The quantisation step
//! and the scale of the normalisation are one factor.

use std::ops::Range;

use super::target::{Array, Element, Place, Strides, Target, put_some, write_run};
use crate::cpu::shuffle::{self, BLOCKS, Order};
use crate::cpu::{Aligned, Kernel, LANES, Simd};
use crate::scans::{Block, Tile, TileRow};
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ZIGZAG;
use crate::spectral::plan::Output;

/// Groups of 16 blocks that take their turn together: 128 KB, a tile or most of it.
const GROUPS: usize = 64;

/// A wanted coefficient and what it is multiplied by.
#[derive(Debug, Clone, Copy, Default)]
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
    /// By zigzag position, as many as `block` counts.
    picks: [Pick; 64],
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
            // Finite: zero coefficients stay zero.
            let factor = (step * output.scale).clamp(f32::MIN, f32::MAX);
            Pick { position, channel: output.channel, factor, shift: output.shift }
        };
        let mut picks = [Pick::default(); 64];
        let count = outputs.len().min(64);
        picks.iter_mut().zip(outputs).for_each(|(to, output)| *to = pick(output));
        let picked = &mut picks[..count];
        let (mut order, mut factors, mut shifts) = ([0; 64], [0.0; 64], [0.0; 64]);
        for (i, pick) in picked.iter().enumerate() {
            (order[i], factors[i], shifts[i]) = (pick.position, pick.factor, pick.shift);
        }
        let channel = picked.first().map_or(0, |pick| pick.channel);
        let block = BlockPicks { order: Order::new(&order), factors, shifts, channel, count };
        picked.sort_unstable_by_key(|pick| pick.position);
        Direct { picks, block }
    }
}

/// Writes blocks `columns` of some block rows of a component. Gives how many values saturated.
pub(crate) struct DirectRows<'a, 'm> {
    pub direct: &'a Direct,
    pub tile: &'a Tile<'a>,
    /// Index in frame order.
    pub component: usize,
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    /// Output row of the first of `rows`.
    pub to: usize,
    pub target: &'a mut Target<'m>,
}

impl Kernel for DirectRows<'_, '_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let DirectRows { direct, tile, component, rows, columns, to, target } = self;
        let (values, strides) = target.parts();
        let source = Source { tile, component, rows, columns, to, strides };
        match values {
            Array::F32(values) => source.write(simd, direct, values),
            Array::F16(values) => source.write(simd, direct, values),
            Array::I16(values) => source.write(simd, direct, values),
        }
    }
}

/// Blocks and where they go.
struct Source<'a> {
    tile: &'a Tile<'a>,
    component: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    to: usize,
    strides: Strides,
}

/// Blocks whose places in a channel are at one distance from each other.
#[derive(Debug, Clone, Default)]
struct Run {
    /// Their numbers in the order they are taken in.
    blocks: Range<usize>,
    /// Index of the first in channel 0.
    place: usize,
}

/// One coefficient each of all blocks that take their turn together, for 8 coefficients. A line is odd in its length, so
/// that lines do not compete for the same places of the first cache.
type Lines = Aligned<[[[i16; BLOCKS]; GROUPS + 1]; 8]>;

impl<'a> Source<'a> {
    #[inline(always)]
    fn write<S: Simd, E: Element>(self, simd: S, direct: &Direct, values: &mut [E]) -> u64 {
        let mut saturated = 0;
        if self.strides.channel == 1 {
            for (y, to) in self.rows.clone().zip(self.to..) {
                let row = self.tile.row(self.component, y as u32);
                saturated += self.write_blocks(simd, row, to, &direct.block, values);
            }
            return saturated;
        }
        let picks = &direct.picks[..direct.block.count];
        let mut lines: Lines = Aligned([[[0; BLOCKS]; GROUPS + 1]; 8]);
        let mut blocks: [&Block; GROUPS * BLOCKS] = [&[0; 64]; GROUPS * BLOCKS];
        let mut runs: [Run; GROUPS] = std::array::from_fn(|_| Run::default());
        let (mut taken, mut count) = (0, 0);
        for (y, to) in self.rows.clone().zip(self.to..) {
            let row = self.tile.row(self.component, y as u32);
            let mut columns = self.columns.clone();
            while !columns.is_empty() {
                let place = Place { channel: 0, row: to, column: columns.start - self.columns.start };
                let place = self.strides.place(place);
                let some = columns.len().min(blocks.len() - taken);
                let places = blocks[taken..].iter_mut().zip(columns.start..columns.start + some);
                places.for_each(|(to, x)| *to = row.block(x));
                columns.start += some;
                // A row that begins where the one above ends goes on with it.
                match runs[..count].last_mut() {
                    Some(run) if run.place + run.blocks.len() * self.strides.column == place => run.blocks.end += some,
                    _ => {
                        runs[count] = Run { blocks: taken..taken + some, place };
                        count += 1;
                    }
                }
                taken += some;
                if taken == blocks.len() || count == runs.len() {
                    saturated += self.write_planes(simd, &blocks[..taken], &runs[..count], picks, &mut lines, values);
                    (taken, count) = (0, 0);
                }
            }
        }
        saturated + self.write_planes(simd, &blocks[..taken], &runs[..count], picks, &mut lines, values)
    }

    /// Channels apart: 8 coefficients of all blocks side by side, then each of them in long runs, so that one channel is
    /// written at a time.
    #[inline(always)]
    fn write_planes<S: Simd, E: Element>(
        &self,
        simd: S,
        blocks: &[&'a Block],
        runs: &[Run],
        picks: &[Pick],
        lines: &mut Lines,
        values: &mut [E],
    ) -> u64 {
        let Strides { channel, column, .. } = self.strides;
        let (whole, rest) = blocks.as_chunks();
        let mut saturated = 0;
        for picks in picks.chunk_by(|a, b| a.position / 8 == b.position / 8) {
            let eighth = picks.first().map_or(0, |pick| usize::from(pick.position / 8));
            for (g, group) in whole.iter().enumerate() {
                shuffle::gather(simd, group, eighth, lines.0.each_mut().map(|line| &mut line[g]));
            }
            if let Some(last) = rest.last() {
                let group = std::array::from_fn(|b| *rest.get(b).unwrap_or(last));
                shuffle::gather(simd, &group, eighth, lines.0.each_mut().map(|line| &mut line[whole.len()]));
            }
            for pick in picks {
                let line = lines.0[usize::from(pick.position % 8)].as_flattened();
                for run in runs {
                    let (to, from) = (run.place + pick.channel * channel, &line[run.blocks.clone()]);
                    saturated += write_run(simd, &mut values[to..], column, from, pick.factor, pick.shift);
                }
            }
        }
        saturated
    }

    /// Channels side by side: a block at a time.
    #[inline(always)]
    fn write_blocks<S: Simd, E: Element>(
        &self,
        simd: S,
        row: TileRow<'_>,
        to: usize,
        picks: &BlockPicks,
        values: &mut [E],
    ) -> u64 {
        let (factors, shifts) = (picks.factors.as_chunks::<LANES>().0, picks.shifts.as_chunks::<LANES>().0);
        let mut ordered = Aligned([[0; 64]; BLOCKS]);
        let mut saturated = 0;
        for start in self.columns.clone().step_by(BLOCKS) {
            let count = BLOCKS.min(self.columns.end - start);
            let blocks: [&Block; BLOCKS] = std::array::from_fn(|b| row.block(start + b.min(count - 1)));
            shuffle::reorder(simd, &blocks[..count], &picks.order, &mut ordered.0);
            for (b, block) in ordered.0[..count].iter().enumerate() {
                let place = Place { channel: picks.channel, row: to, column: start - self.columns.start + b };
                let values = &mut values[self.strides.place(place)..][..picks.count];
                let numbers = block.as_chunks::<LANES>().0.iter().zip(factors.iter().zip(shifts));
                for (to, (numbers, (factors, shifts))) in values.chunks_mut(LANES).zip(numbers) {
                    let value = simd.mul_add(simd.load_i16(numbers), simd.load(factors), simd.load(shifts));
                    saturated += match to.first_chunk_mut() {
                        Some(to) => E::put(simd, value, to).count_ones().into(),
                        None => put_some(simd, value, to.len(), to.iter_mut()),
                    };
                }
            }
        }
        saturated
    }
}
