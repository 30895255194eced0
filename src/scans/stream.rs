//! A sequential scan of all components: tiles leave as they are decoded, so memory does not grow with the image.

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

/// Decodes the scan and hands on its tiles. Returns the offset at which the markers go on and true, or that up to which the
/// file was read and false if the rest was left because nobody wants it.
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
) -> Result<(usize, bool)> {
    let layout = McuLayout::new(frame, scan);
    // A scan of one component has MCUs of one block, whatever its factors: a row of the frame's MCUs is several of its own.
    let mcu_rows = match scan.components[..] {
        [only] => u32::from(frame.components[only.component].v),
        _ => 1,
    };
    let (wanted_from, wanted_to) = (demand.mcu_rows.start * mcu_rows, demand.mcu_rows.end.saturating_mul(mcu_rows));
    let row_blocks = layout.mcus_wide as usize * layout.blocks.len();
    let tile_rows = (TILE_BYTES / size_of::<Block>() / row_blocks).clamp(1, 8) as u32;
    let mut placements = place(frame, scan, &layout);
    for first in (0..layout.mcus_high).step_by(tile_rows as usize) {
        let rows = tile_rows.min(layout.mcus_high - first);
        let used = rows as usize * row_blocks;
        if blocks.len() < used + SLACK {
            blocks.resize(used + SLACK, [0; 64]);
        }
        let blocks = &mut blocks[..used + SLACK];
        decode_mcus(&layout, &mut segments, &mut coder, blocks, log)?;
        let blocks = &blocks[..used];
        for (in_scan, chosen) in scan.components.iter().enumerate() {
            let (_, v) = layout.factors[in_scan];
            let high = frame.components[chosen.component].blocks_high;
            let placement = &mut placements[chosen.component];
            placement.set_rows(first * v..(first + rows) * v, high);
        }
        if first + rows > wanted_from {
            consumer.tile(&Tile::new(blocks, &placements))?;
        }
        if first + rows >= wanted_to && first + rows < layout.mcus_high {
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
        for (block, place) in blocks[mcu * size..(mcu + 1) * size].iter_mut().zip(&layout.blocks) {
            *block = [0; 64];
            coder.decode(&mut segments.reader, place.in_scan, block, &mut segments.flaws);
        }
        segments.after_mcu(log)?;
        mcu += 1;
    }
    Ok(())
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
