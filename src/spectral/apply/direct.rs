//! Components that need no map: select, dequantise, normalise and store in one pass.
//!
//! What enters: one block row, zigzag order. What leaves: its wanted frequencies in their places. The quantisation step
//! and the scale of the normalisation are one factor.

use super::target::{Place, Target};
use crate::scans::{Block, TileRow};
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ZIGZAG;
use crate::spectral::plan::Output;

/// Blocks held at once: 8 KB, well inside the first cache.
const BLOCKS: usize = 64;

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
    picks: Vec<Pick>,
}

impl Direct {
    /// From the outputs and the table; without a table the values stay quantised.
    pub fn new(outputs: &[Output], table: Option<&QuantTable>) -> Direct {
        let pick = |output: &Output| {
            let position = ZIGZAG[usize::from(output.frequency)];
            let step = table.map_or(1.0, |table| f32::from(table.0[usize::from(position)]));
            Pick { position, channel: output.channel, factor: step * output.scale, shift: output.shift }
        };
        Direct { picks: outputs.iter().map(pick).collect() }
    }

    /// Writes blocks `columns` of a block row to output row `row`. Returns how many values saturated.
    pub fn apply_row(
        &self,
        from: TileRow<'_>,
        columns: std::ops::Range<usize>,
        row: usize,
        target: &mut Target,
    ) -> u64 {
        match self.picks.first() {
            None => 0,
            Some(first) if target.strides().channel == 1 => {
                self.apply_blocks(from, columns, row, first.channel, target)
            }
            Some(_) => self.apply_planes(from, columns, row, target),
        }
    }

    /// Channels side by side: a block at a time. A component's channels are consecutive.
    fn apply_blocks(
        &self,
        from: TileRow<'_>,
        columns: std::ops::Range<usize>,
        row: usize,
        channel: usize,
        target: &mut Target,
    ) -> u64 {
        let mut values = [0f32; 64];
        let mut saturated = 0;
        for (column, x) in columns.enumerate() {
            let block = from.block(x);
            for (value, pick) in values.iter_mut().zip(&self.picks) {
                *value = f32::from(block[(pick.position & 63) as usize]) * pick.factor + pick.shift;
            }
            saturated += target.write_block(Place { channel, row, column }, &values[..self.picks.len()]);
        }
        saturated
    }

    /// Channels apart: a frequency at a time, over as many blocks as stay in the first cache.
    fn apply_planes(&self, from: TileRow<'_>, columns: std::ops::Range<usize>, row: usize, target: &mut Target) -> u64 {
        let mut values = [0f32; BLOCKS];
        let mut blocks: [&Block; BLOCKS] = [&[0; 64]; BLOCKS];
        let mut saturated = 0;
        for start in columns.clone().step_by(BLOCKS) {
            let count = BLOCKS.min(columns.end - start);
            blocks.iter_mut().zip(start..start + count).for_each(|(block, x)| *block = from.block(x));
            for pick in &self.picks {
                for (value, block) in values.iter_mut().zip(&blocks[..count]) {
                    *value = f32::from(block[(pick.position & 63) as usize]);
                }
                let place = Place { channel: pick.channel, row, column: start - columns.start };
                saturated += target.write_row(place, &values[..count], pick.factor, pick.shift);
            }
        }
        saturated
    }
}
