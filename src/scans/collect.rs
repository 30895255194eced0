//! Sequential images in several scans, and arithmetic progressive ones: all scans are decoded into whole planes, which then
//! leave as tiles. Progressive Huffman images have planes of their own, see [`super::progressive`].

use super::coders::Coder;
use super::layout::McuLayout;
use super::precision::Precision;
use super::restart::{Next, Segments};
use super::tile::{Block, Placement, Tile, TileConsumer};
use crate::entropy::{SLACK, SegmentReader};
use crate::error::Result;
use crate::limits::zero;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// MCUs that are decoded together before their blocks are put where they belong.
const MCUS: usize = 16;

/// The planes of an image while its scans come in: true-size grids of blocks in zigzag order, one behind the other.
pub(super) struct Planes<'s> {
    blocks: &'s mut Vec<Block>,
    /// First block of each component; one more entry for the end.
    bases: Vec<usize>,
    precision: Precision,
    /// No component of the current scan was in another one: its blocks are zero.
    is_first: bool,
    /// Blocks that scans have visited so far, those of runs without data left out.
    visited: u64,
}

impl<'s> Planes<'s> {
    /// Empty planes. What they cost must have been checked.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(frame: &Frame, blocks: &'s mut Vec<Block>) -> Result<Planes<'s>> {
        let mut bases = vec![0];
        for component in &frame.components {
            bases.push(bases[bases.len() - 1] + component.block_count() as usize);
        }
        zero(blocks, bases[bases.len() - 1])?;
        Ok(Planes { blocks, precision: Precision::new(frame.components.len()), bases, is_first: false, visited: 0 })
    }

    /// Blocks that scans have visited so far.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether a scan of the component was decoded.
    pub fn has_scan(&self, component: usize) -> bool {
        self.precision.has_scan(component)
    }

    /// Makes ready for a scan, whose parameters must have been checked.
    pub fn begin(&mut self, is_progressive: bool, scan: &ScanHeader, log: &mut Log) -> Result<()> {
        if is_progressive {
            for chosen in &scan.components {
                self.precision.follow(chosen.component, scan, log)?;
            }
        } else {
            self.is_first = scan.components.iter().all(|chosen| !self.precision.has_scan(chosen.component));
            self.precision.follow_sequential(scan);
        }
        Ok(())
    }

    /// Decodes a scan. Returns the offset at which the markers go on.
    pub fn decode_scan<R: SegmentReader>(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        mut segments: Segments<'_, R>,
        mut coder: impl Coder<R>,
        log: &mut Log,
    ) -> Result<usize> {
        let layout = McuLayout::new(frame, scan);
        // Blocks of whole MCUs beyond the true grid are decoded here and dropped.
        let mut padding: Block;
        let size = layout.blocks.len();
        let mut together = vec![[0; 64]; MCUS * size + SLACK];
        let mut next = 0;
        let total = u64::from(layout.mcus_wide) * u64::from(layout.mcus_high);
        while next < total {
            match segments.before_mcu(log, || coder.restart())? {
                Next::Decode => {}
                Next::Lost => {
                    next += 1;
                    self.visited += 1;
                    continue;
                }
                Next::Over => break,
            }
            let (mcu_x, mcu_y) =
                ((next % u64::from(layout.mcus_wide)) as u32, (next / u64::from(layout.mcus_wide)) as u32);
            // This MCU and those up to the end of the row or the next restart marker, as many as are sound.
            let ahead = (layout.mcus_wide - mcu_x).min(segments.mcus_in_segment().saturating_add(1)).min(MCUS as u32);
            let together = &mut together[..ahead as usize * size + SLACK];
            let decoded =
                if self.is_first { coder.decode_mcus(&mut segments.reader, &layout.order, together) } else { 0 };
            if decoded > 0 {
                self.put_mcus(frame, scan, &layout, (mcu_x, mcu_y), &together[..decoded * size]);
                segments.pass_over(decoded as u32 - 1);
                next += decoded as u64;
                self.visited += (decoded * size) as u64;
                continue;
            }
            for place in &layout.blocks {
                let component = scan.components[place.in_scan].component;
                let (h, v) = layout.factors[place.in_scan];
                let (x, y) = (mcu_x * h + place.x, mcu_y * v + place.y);
                let grid = &frame.components[component];
                let block = if x < grid.blocks_wide && y < grid.blocks_high {
                    &mut self.blocks[self.bases[component] + y as usize * grid.blocks_wide as usize + x as usize]
                } else {
                    padding = [0; 64];
                    &mut padding
                };
                coder.decode(&mut segments.reader, place.in_scan, block, &mut segments.flaws);
            }
            segments.after_mcu(log)?;
            next += 1;
            self.visited += size as u64;
        }
        segments.finish(log)
    }

    /// Puts the blocks of MCUs of one row, the first at column and row `first`, where they belong.
    fn put_mcus(&mut self, frame: &Frame, scan: &ScanHeader, layout: &McuLayout, first: (u32, u32), blocks: &[Block]) {
        for (column, mcu) in (first.0..).zip(blocks.chunks_exact(layout.blocks.len())) {
            for (place, block) in layout.blocks.iter().zip(mcu) {
                let component = scan.components[place.in_scan].component;
                let (h, v) = layout.factors[place.in_scan];
                let (x, y) = (column * h + place.x, first.1 * v + place.y);
                let grid = &frame.components[component];
                if x < grid.blocks_wide && y < grid.blocks_high {
                    self.blocks[self.bases[component] + y as usize * grid.blocks_wide as usize + x as usize] = *block;
                }
            }
        }
    }

    /// Hands the planes on as tiles of one MCU row each.
    pub fn emit(&self, frame: &Frame, rows: std::ops::Range<u32>, consumer: &mut impl TileConsumer) -> Result<()> {
        for mcu_row in rows {
            let place = |(component, &base): (&crate::spec::frame::Component, &usize)| {
                let (v, wide) = (u32::from(component.v), component.blocks_wide as usize);
                let mut placement = Placement::of_plane(base, wide);
                placement.set_rows(mcu_row * v..(mcu_row + 1) * v, component.blocks_high);
                placement.base += placement.first_row as usize * wide;
                placement
            };
            let placements: Vec<Placement> = frame.components.iter().zip(&self.bases).map(place).collect();
            consumer.tile(&Tile::new(self.blocks, &placements))?;
        }
        Ok(())
    }
}
