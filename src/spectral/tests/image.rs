//! Synthetic images, and a decoder's part: cutting them into tiles.

use crate::error::Result;
use crate::limits::Limits;
use crate::markers::{ColorModel, ImageInfo};
use crate::recipe::Recipe;
use crate::scans::{Block, Placement, Tile, TileConsumer};
use crate::spec::frame::{Component, Frame, Process, Sampling};
use crate::spec::quant::QuantTable;
use crate::spectral::builder::{Builder, BuilderScratch, Spectral};
use crate::tensor::Tensor;

/// Small reproducible random numbers (the 64-bit LCG of Knuth's MMIX, high bits).
pub struct Random(pub u64);

impl Random {
    /// Uniform in `0..n`.
    pub fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(n)) as u32
    }

    /// Uniform in `-n..=n`.
    pub fn around(&mut self, n: i16) -> i16 {
        self.below(2 * n as u32 + 1) as i16 - n
    }
}

/// A whole image of quantised blocks over the padded grids.
pub struct Image {
    pub info: ImageInfo,
    pub blocks: Vec<Vec<Block>>,
}

impl Image {
    /// Random coefficients, larger at low frequencies, and random tables.
    pub fn random(width: u32, height: u32, factors: &[(u8, u8)], color: ColorModel, seed: u64) -> Image {
        let mut random = Random(seed);
        let sampling: Vec<Sampling> =
            factors.iter().zip(1..).map(|(&(h, v), id)| Sampling { id, h, v, quant_index: 0 }).collect();
        let frame = Frame::new(Process::Baseline, 8, width, height, &sampling);
        let table = |random: &mut Random| Some(QuantTable(std::array::from_fn(|_| 1 + random.below(12) as u16)));
        let quant_tables = frame.components.iter().map(|_| table(&mut random)).collect();
        let block = |random: &mut Random| std::array::from_fn(|k| random.around(60 / (1 + k as i16)));
        let plane = |c: &Component| {
            let count = c.padded_blocks_wide * c.padded_blocks_high;
            (0..count).map(|_| block(&mut random)).collect()
        };
        let blocks = frame.components.iter().map(plane).collect();
        Image { info: ImageInfo { frame, color, orientation: 1, restart_interval: 0, quant_tables }, blocks }
    }

    /// Runs the builder over tiles of that many MCU rows. What the builder does not ask for is overwritten by garbage or
    /// left out.
    pub fn build(&self, recipe: &Recipe, rows_per_tile: u32) -> Result<(Vec<Tensor>, u64)> {
        self.build_with(recipe, rows_per_tile, &Limits::default(), &mut BuilderScratch::default())
    }

    pub fn build_with(
        &self,
        recipe: &Recipe,
        rows_per_tile: u32,
        limits: &Limits,
        scratch: &mut BuilderScratch,
    ) -> Result<(Vec<Tensor>, u64)> {
        let spectral = Spectral::new(recipe.clone()).expect("recipes of tests are valid");
        let mut builder = Builder::new(&spectral, limits, "", scratch, None);
        let demand = builder.demand(&self.info)?;
        builder.begin(&self.info)?;
        for start in demand.mcu_rows.clone().step_by(rows_per_tile as usize) {
            let end = demand.mcu_rows.end.min(start + rows_per_tile);
            let (blocks, placements) = self.tile(start, end, &demand.highest);
            builder.tile(&Tile::new(&blocks, &placements))?;
        }
        Ok(builder.finish(&self.info))
    }

    /// Gives a consumer some MCU rows as one tile.
    pub fn feed(&self, consumer: &mut impl TileConsumer, mcu_rows: std::ops::Range<u32>) {
        let (blocks, placements) = self.tile(mcu_rows.start, mcu_rows.end, &vec![Some(63); self.blocks.len()]);
        consumer.tile(&Tile::new(&blocks, &placements)).unwrap();
    }

    /// MCU rows `start..end` in the order of an interleaved scan (T.81 A.2.3).
    pub fn tile(&self, start: u32, end: u32, highest: &[Option<u8>]) -> (Vec<Block>, Vec<Placement>) {
        let frame = &self.info.frame;
        let per_mcu: usize = frame.components.iter().map(|c| usize::from(c.h) * usize::from(c.v)).sum();
        let mcu_row = per_mcu * frame.mcus_wide as usize;
        let mut blocks = Vec::new();
        for y in start..end {
            for x in 0..frame.mcus_wide {
                for (c, plane) in frame.components.iter().zip(&self.blocks) {
                    for (v, h) in (0..u32::from(c.v)).flat_map(|v| (0..u32::from(c.h)).map(move |h| (v, h))) {
                        let (row, column) = (y * u32::from(c.v) + v, x * u32::from(c.h) + h);
                        blocks.push(plane[(row * c.padded_blocks_wide + column) as usize]);
                    }
                }
            }
        }
        let mut placements = Vec::new();
        let mut base = 0;
        for (c, highest) in frame.components.iter().zip(highest) {
            let (h, v) = (usize::from(c.h), usize::from(c.v));
            for mcu in blocks.chunks_exact_mut(per_mcu) {
                for block in &mut mcu[base..base + h * v] {
                    block[highest.map_or(0, |k| usize::from(k) + 1)..].fill(999);
                }
            }
            let first_row = (start * u32::from(c.v)).min(c.blocks_high);
            placements.push(Placement {
                base,
                h,
                v,
                mcu_stride: per_mcu,
                mcu_row_stride: mcu_row,
                row_stride: h,
                blocks_wide: c.blocks_wide as usize,
                first_row,
                rows: (end * u32::from(c.v)).min(c.blocks_high) - first_row,
            });
            base += h * v;
        }
        (blocks, placements)
    }
}
