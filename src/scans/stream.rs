//! A sequential scan of all components: tiles leave as they are decoded, so memory does not grow with the image.

use super::coders::Coder;
use super::layout::McuLayout;
use super::restart::{Next, Segments};
use super::tile::{Block, Demand, Placement, Tile, TileConsumer};
use crate::entropy::SegmentReader;
use crate::error::Result;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// Blocks of a tile are about this many bytes: a part of an L2 cache.
const TILE_BYTES: usize = 1 << 17;

/// Decodes the scan and hands on its tiles. Returns the offset at which the markers go on,
/// `None` if the rest of the file was left unread because nobody wants it.
#[allow(clippy::too_many_arguments)] // one call, from decode_tiles
pub(super) fn stream_scan<R: SegmentReader>(
    frame: &Frame,
    scan: &ScanHeader,
    mut segments: Segments<'_, R>,
    mut coder: impl Coder<R>,
    demand: &Demand,
    blocks: &mut Vec<Block>,
    log: &mut Log,
    consumer: &mut impl TileConsumer,
) -> Result<Option<usize>> {
    let layout = McuLayout::new(frame, scan);
    let row_blocks = layout.mcus_wide as usize * layout.blocks.len();
    let tile_rows = (TILE_BYTES / size_of::<Block>() / row_blocks).clamp(1, 8) as u32;
    let mut placements = place(frame, scan, &layout);
    for first in (0..layout.mcus_high).step_by(tile_rows as usize) {
        let rows = tile_rows.min(layout.mcus_high - first);
        blocks.clear();
        blocks.resize(rows as usize * row_blocks, [0; 64]);
        decode_mcus(&layout, &mut segments, &mut coder, blocks, log)?;
        for (in_scan, chosen) in scan.components.iter().enumerate() {
            let (_, v) = layout.factors[in_scan];
            let high = frame.components[chosen.component].blocks_high;
            let placement = &mut placements[chosen.component];
            placement.first_row = (first * v).min(high);
            placement.rows = ((first + rows) * v).min(high) - placement.first_row;
        }
        if first + rows > demand.mcu_rows.start {
            consumer.tile(&Tile::new(blocks, &placements))?;
        }
        if first + rows >= demand.mcu_rows.end && first + rows < layout.mcus_high {
            // Nobody wants the rest: it is not decoded.
            return Ok(None);
        }
    }
    segments.finish(log).map(Some)
}

/// Decodes as many MCUs as fill `blocks`.
fn decode_mcus<R: SegmentReader>(
    layout: &McuLayout,
    segments: &mut Segments<'_, R>,
    coder: &mut impl Coder<R>,
    blocks: &mut [Block],
    log: &mut Log,
) -> Result<()> {
    for mcu in blocks.chunks_exact_mut(layout.blocks.len()) {
        match segments.before_mcu(log)? {
            Next::Decode => {}
            Next::Restarted => coder.restart(),
            Next::Lost { restarted } => {
                if restarted {
                    coder.restart();
                }
                continue;
            }
            Next::Over => return Ok(()),
        }
        for (block, place) in mcu.iter_mut().zip(&layout.blocks) {
            coder.decode(&mut segments.reader, place.in_scan, block, &mut segments.flaws);
        }
        segments.after_mcu(log)?;
    }
    Ok(())
}

/// Where each component's blocks lie in a tile in decode order.
fn place(frame: &Frame, scan: &ScanHeader, layout: &McuLayout) -> Vec<Placement> {
    let mut placements = vec![Placement::default(); frame.components.len()];
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
