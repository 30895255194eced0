//! A sequential scan of all components: tiles leave as they are decoded, so memory does not grow with the image.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::coders::Coder;
use super::layout::McuLayout;
use super::restart::{Next, Segments};
use super::tile::{Block, Demand, Placement, Tile, TileConsumer};
use crate::entropy::{SLACK, SegmentReader};
use crate::error::Result;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// Blocks of a tile are about this many bytes: a part of an L2 cache.
const TILE_BYTES: usize = 1 << 17;

/// How a scan is cut into tiles, and which of them are wanted.
pub(super) struct Tiles<'f> {
    pub layout: McuLayout,
    frame: &'f Frame,
    scan: &'f ScanHeader,
    /// MCU rows of a tile, but for the last one.
    rows: u32,
    /// MCU rows of the scan that are wanted.
    wanted: Range<u32>,
    placements: SmallVec<[Placement; 4]>,
}

impl<'f> Tiles<'f> {
    pub fn new(frame: &'f Frame, scan: &'f ScanHeader, demand: &Demand) -> Tiles<'f> {
        let layout = McuLayout::new(frame, scan);
        // A scan of one component has MCUs of one block, whatever its factors: a row of the frame's MCUs is several of its
        // own.
        let mcu_rows = match scan.components[..] {
            [only] => u32::from(frame.components[only.component].v),
            _ => 1,
        };
        let wanted = demand.mcu_rows.start * mcu_rows..demand.mcu_rows.end.saturating_mul(mcu_rows);
        let row_blocks = layout.mcus_wide as usize * layout.blocks.len();
        let rows = (TILE_BYTES / size_of::<Block>() / row_blocks).clamp(1, 8) as u32;
        let placements = place(frame, scan, &layout);
        Tiles { layout, frame, scan, rows, wanted, placements }
    }

    /// MCUs of a tile, but for the last one.
    pub fn mcus(&self) -> usize {
        self.rows as usize * self.layout.mcus_wide as usize
    }

    /// MCUs of the scan.
    pub fn total(&self) -> usize {
        self.layout.mcus_high as usize * self.layout.mcus_wide as usize
    }

    /// MCUs of the tiles before the one behind which nobody wants anything; all, if that is the last one.
    #[cfg(feature = "threads")]
    pub fn mcus_before_last_wanted(&self) -> usize {
        if self.wanted.end >= self.layout.mcus_high {
            return self.total();
        }
        self.wanted.end.saturating_sub(1) as usize / self.rows as usize * self.mcus()
    }

    /// Hands on a tile, whose first MCU has this number. Whether nobody wants the rest, of which there is some.
    pub fn hand_on(&mut self, first: usize, blocks: &[Block], consumer: &mut impl TileConsumer) -> Result<bool> {
        let first = (first / self.layout.mcus_wide as usize) as u32;
        let end = self.layout.mcus_high.min(first + self.rows);
        for (in_scan, chosen) in self.scan.components.iter().enumerate() {
            let (_, v) = self.layout.factors[in_scan];
            let high = self.frame.components[chosen.component].blocks_high;
            self.placements[chosen.component].set_rows(first * v..end * v, high);
        }
        if end > self.wanted.start {
            consumer.tile(&Tile::new(blocks, &self.placements))?;
        }
        Ok(end >= self.wanted.end && end < self.layout.mcus_high)
    }
}

/// Decodes a scan and hands on its tiles. `done` MCUs were decoded before; those of them that are in no tile that was
/// handed on stand at the front of `blocks`. Returns the offset at which the markers go on and true, or that up to which the
/// file was read and false if the rest was left because nobody wants it.
pub(super) fn stream_scan<R: SegmentReader>(
    tiles: &mut Tiles<'_>,
    mut done: usize,
    mut segments: Segments<'_, R>,
    mut coder: impl Coder<R>,
    blocks: &mut Vec<Block>,
    log: &mut Log,
    consumer: &mut impl TileConsumer,
) -> Result<(usize, bool)> {
    let size = tiles.layout.blocks.len();
    while done < tiles.total() {
        let first = done - done % tiles.mcus();
        let mcus = tiles.mcus().min(tiles.total() - first);
        let used = mcus * size;
        if blocks.len() < used + SLACK {
            blocks.resize(used + SLACK, [0; 64]);
        }
        let blocks = &mut blocks[..used + SLACK];
        decode_mcus(&tiles.layout, &mut segments, &mut coder, &mut blocks[(done - first) * size..], log)?;
        done = first + mcus;
        if tiles.hand_on(first, &blocks[..used], consumer)? {
            // Nobody wants the rest: it is not decoded.
            return Ok((segments.reader.offset(), false));
        }
    }
    Ok((segments.finish(log)?, true))
}

/// Decodes as many MCUs as fill `blocks`, the last [`SLACK`] ones excepted.
fn decode_mcus<R: SegmentReader>(
    layout: &McuLayout,
    segments: &mut Segments<'_, R>,
    coder: &mut impl Coder<R>,
    blocks: &mut [Block],
    log: &mut Log,
) -> Result<()> {
    let size = layout.blocks.len();
    let mcus = (blocks.len() - SLACK) / size;
    let mut mcu = 0;
    while mcu < mcus {
        match segments.before_mcu(log, || coder.restart())? {
            Next::Decode => {}
            Next::Lost => {
                blocks[mcu * size..(mcu + 1) * size].fill([0; 64]);
                mcu += 1;
                continue;
            }
            Next::Over => {
                blocks[mcu * size..mcus * size].fill([0; 64]);
                return Ok(());
            }
        }
        // This MCU and those up to the next restart marker.
        let ahead = (mcus - mcu).min((segments.mcus_in_segment() as usize).saturating_add(1));
        let run = &mut blocks[mcu * size..(mcu + ahead) * size + SLACK];
        let decoded = coder.decode_mcus(&mut segments.reader, &layout.order, run);
        if decoded > 0 {
            segments.pass_over(decoded as u32 - 1);
            mcu += decoded;
            continue;
        }
        decode_exactly(segments, coder, &layout.order, &mut blocks[mcu * size..]);
        segments.after_mcu(log)?;
        mcu += 1;
    }
    Ok(())
}

/// Decodes an MCU to the letter, which sets flaws. `order` holds the place in the scan of each of its blocks.
pub(super) fn decode_exactly<R: SegmentReader>(
    segments: &mut Segments<'_, R>,
    coder: &mut impl Coder<R>,
    order: &[u8],
    blocks: &mut [Block],
) {
    for (block, &in_scan) in blocks.iter_mut().zip(order) {
        *block = [0; 64];
        coder.decode(&mut segments.reader, in_scan.into(), block, &mut segments.flaws);
    }
}

/// Where each component's blocks lie in a tile in decode order.
fn place(frame: &Frame, scan: &ScanHeader, layout: &McuLayout) -> SmallVec<[Placement; 4]> {
    let mut placements = smallvec![Placement::default(); frame.components.len()];
    let mut base = 0;
    for (chosen, &(h, v)) in scan.components.iter().zip(&layout.factors) {
        placements[chosen.component] = Placement {
            base,
            h: h as usize,
            v: v as usize,
            mcu_stride: layout.blocks.len(),
            mcu_row_stride: layout.blocks.len() * layout.mcus_wide as usize,
            row_stride: h as usize,
            blocks_wide: frame.components[chosen.component].blocks_wide as usize,
            first_row: 0,
            rows: 0,
        };
        base += (h * v) as usize;
    }
    placements
}
