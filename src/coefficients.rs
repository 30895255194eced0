//! Whole planes of quantised coefficients, for inspection, digests and comparison.
//!
//! What enters: the tiles of one image. What leaves: [`Coefficients`]. Nothing is selected or resampled here; the
//! tensor builder of [`crate::spectral`] is the other consumer of tiles.

use ndarray::ArrayView4;

use crate::cpu::shuffle::{BLOCKS, Order, reorder};
use crate::cpu::{Aligned, Cpu, Kernel, Simd};
use crate::error::{Error, Result, Warning};
use crate::limits::{LimitKind, Limits};
use crate::markers::ImageInfo;
use crate::scans::{Block, DecodeOptions, Demand, Scratch, Tile, TileConsumer, TileRow, decode_tiles};
use crate::spec::fingerprint::Fnv1a;
use crate::spec::frame::Component;
use crate::spec::quant::QuantTable;
use crate::spec::zigzag::ZIGZAG;

/// The quantised DCT coefficients of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coefficients {
    /// Geometry, colour model, tables.
    pub info: ImageInfo,
    /// One plane a component, in frame order.
    pub planes: Vec<Plane>,
    /// Scans decoded.
    pub scans: u32,
    /// What was odd. Any that [is damage](Warning::is_damage) means that coefficients may be missing or wrong.
    pub warnings: Vec<Warning>,
}

/// The quantised coefficients of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plane {
    /// The component.
    pub component: Component,
    /// Its quantisation table, if the file defines it.
    pub quant_table: Option<QuantTable>,
    /// True-size grid, blocks row by row, 64 values each in row-major order `8 * v + u`.
    pub values: Vec<i16>,
}

impl Plane {
    /// Quantised coefficients as an array of shape (blocks_high, blocks_wide, 8, 8): block row, block column, vertical
    /// frequency v, horizontal frequency u.
    pub fn view(&self) -> ArrayView4<'_, i16> {
        let c = &self.component;
        ArrayView4::from_shape((c.blocks_high as usize, c.blocks_wide as usize, 8, 8), &self.values)
            .expect("values has one block for each place of the grid")
    }

    /// Dequantised coefficients, same order as [`Plane::values`]. `None` without a quantisation table. The product of
    /// an i16 and a u16 fits i32.
    pub fn dequantised(&self) -> Option<Vec<i32>> {
        self.quant_table.map(|table| dequantise(&self.values, &table.row_major()))
    }

    /// FNV-1a 64 over [`Plane::values`] as little-endian bytes: the same after any lossless transcode.
    pub fn digest(&self) -> u64 {
        digest(&self.values)
    }
}

/// [`Plane::dequantised`] of values that have left their plane: whole blocks of 64, and the steps, both row-major.
pub fn dequantise(values: &[i16], steps: &[u16; 64]) -> Vec<i32> {
    let mut out = Vec::with_capacity(values.len());
    for block in values.chunks_exact(64) {
        out.extend(block.iter().zip(steps).map(|(&value, &step)| i32::from(value) * i32::from(step)));
    }
    out
}

/// [`Plane::digest`] of values that have left their plane.
pub fn digest(values: &[i16]) -> u64 {
    let mut hash = Fnv1a::default();
    for &value in values {
        hash.write(&value.to_le_bytes());
    }
    hash.finish()
}

impl Coefficients {
    /// Decodes a JPEG file held in memory, with default options: damaged images are refused.
    ///
    /// # Errors
    /// Every variant of [`crate::Error`] that decoding can give; see there.
    pub fn decode(bytes: &[u8]) -> Result<Coefficients> {
        Coefficients::decode_with(bytes, &DecodeOptions::default(), &mut Scratch::default())
    }

    /// Decodes with options and reused buffers.
    ///
    /// # Errors
    /// As [`Coefficients::decode`]; with [`Damage::Keep`](crate::Damage::Keep) a damaged image is `Ok` with warnings.
    pub fn decode_with(bytes: &[u8], options: &DecodeOptions, scratch: &mut Scratch) -> Result<Coefficients> {
        let mut collector = Collector { planes: Vec::new(), limits: &options.limits };
        let summary = decode_tiles(bytes, options, scratch, &mut collector)?;
        let planes = collector
            .planes
            .into_iter()
            .zip(&summary.info.quant_tables)
            .map(|(plane, &quant_table)| Plane { quant_table, ..plane })
            .collect();
        Ok(Coefficients { info: summary.info, planes, scans: summary.scans, warnings: summary.warnings })
    }

    /// Whether coefficients may be lost or wrong.
    pub fn is_damaged(&self) -> bool {
        self.warnings.iter().any(Warning::is_damage)
    }
}

/// The tile consumer behind [`Coefficients`].
struct Collector<'a> {
    planes: Vec<Plane>,
    limits: &'a Limits,
}

impl TileConsumer for Collector<'_> {
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand> {
        self.limits.check(LimitKind::Memory, info.frame.block_count() * size_of::<Block>() as u64)?;
        Ok(Demand::all(info))
    }

    fn begin(&mut self, info: &ImageInfo) -> Result<()> {
        for &component in &info.frame.components {
            let (mut values, len) = (Vec::new(), component.block_count() as usize * 64);
            let bytes = component.block_count() * size_of::<Block>() as u64;
            values.try_reserve_exact(len).map_err(|_| Error::OutOfMemory(bytes))?;
            self.planes.push(Plane { component, quant_table: None, values });
        }
        Ok(())
    }

    fn tile(&mut self, tile: &Tile<'_>) -> Result<()> {
        for (c, plane) in self.planes.iter_mut().enumerate() {
            for row in tile.rows(c) {
                Cpu::detect().run(Append { row: tile.row(c, row), values: &mut plane.values });
            }
        }
        Ok(())
    }
}

/// From zigzag to row-major.
const TO_ROWS: Order = Order::new(&ZIGZAG);

/// Adds a block row to a plane.
struct Append<'a> {
    row: TileRow<'a>,
    values: &'a mut Vec<i16>,
}

impl Kernel for Append<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Append { row, values } = self;
        let mut ordered = Aligned([[0; 64]; BLOCKS]);
        for start in (0..row.len()).step_by(BLOCKS) {
            let count = BLOCKS.min(row.len() - start);
            let blocks: [&Block; BLOCKS] = std::array::from_fn(|b| row.block(start + b.min(count - 1)));
            reorder(simd, &blocks[..count], &TO_ROWS, &mut ordered.0);
            values.extend_from_slice(ordered.0[..count].as_flattened());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scans::Placement;
    use crate::spec::zigzag::to_row_major;

    #[test]
    fn every_level_appends_the_blocks_in_row_major_order() {
        let blocks: Vec<Block> = (0..21).map(|b| std::array::from_fn(|k| b * 64 + k as i16)).collect();
        let placement = Placement { h: 1, v: 1, mcu_stride: 1, blocks_wide: 21, rows: 1, ..Placement::default() };
        let tile = Tile::new(&blocks, std::slice::from_ref(&placement));
        for cpu in crate::cpu::all() {
            let mut values = vec![7];
            cpu.run(Append { row: tile.row(0, 0), values: &mut values });
            assert_eq!(values[1..], *blocks.iter().flat_map(to_row_major).collect::<Vec<i16>>());
        }
    }
}
