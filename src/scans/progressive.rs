//! Progressive Huffman images: all scans are decoded into whole planes, which then leave as tiles.
//!
//! What scans change together lies together. The DC coefficients have planes of their own, padded to whole MCUs. The AC
//! coefficients are in reversed blocks (coefficient k at place 63 - k, as [`crate::entropy::band`] wants them), true-size
//! grids one component behind the other, so that a scan of one component is one run of blocks. Beside each block stands
//! its history: a bit for every AC coefficient that is not 0. That is 2 bytes a coefficient and 8 % more.

use std::ops::Range;

use super::layout::McuLayout;
use super::needed::Needed;
use super::passes::{BandCoder, DcCoder, Progressive};
use super::precision::Precision;
use super::restart::{Next, Segments};
use super::tile::{Block, Placement, Tile, TileConsumer};
use crate::cpu::shuffle::{BLOCKS, Order, reorder};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::entropy::dc::Slot;
use crate::entropy::{BitReader, Flaws};
use crate::error::Result;
use crate::limits::zero;
use crate::markers::{Log, ScanHeader};
use crate::spec::frame::Frame;

/// Memory of one image after another.
#[derive(Debug, Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    history: Vec<u64>,
    dc: Vec<i16>,
    tile: Vec<Block>,
}

/// Where a component lies.
#[derive(Debug, Clone, Copy)]
struct Plane {
    /// First block and history; `None` if there are none.
    blocks: Option<usize>,
    /// First DC coefficient.
    dc: usize,
    /// DC coefficients of a row.
    dc_wide: usize,
    /// All that its scans have brought is as T.81 has it.
    is_sound: bool,
    /// Somebody wants it.
    is_wanted: bool,
}

/// The planes of an image while its scans come in.
pub(super) struct ProgressivePlanes<'m> {
    memory: &'m mut Memory,
    planes: Vec<Plane>,
    precision: Precision,
    /// Blocks that scans have visited so far, those of runs without data left out.
    visited: u64,
}

impl<'m> ProgressivePlanes<'m> {
    /// Empty planes, for the scans that are needed. What they cost must have been checked.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(frame: &Frame, needed: &Needed, memory: &'m mut Memory) -> Result<ProgressivePlanes<'m>> {
        let (mut blocks, mut dc, mut planes) = (0, 0, Vec::with_capacity(frame.components.len()));
        for (component, (&ac, &is_wanted)) in frame.components.iter().zip(needed.ac.iter().zip(&needed.wanted)) {
            let dc_wide = component.padded_blocks_wide as usize;
            planes.push(Plane { blocks: ac.then_some(blocks), dc, dc_wide, is_sound: true, is_wanted });
            blocks += if ac { component.block_count() as usize } else { 0 };
            dc += dc_wide * component.padded_blocks_high as usize;
        }
        zero(&mut memory.blocks, blocks)?;
        zero(&mut memory.history, blocks)?;
        zero(&mut memory.dc, dc)?;
        Ok(ProgressivePlanes { memory, planes, precision: Precision::new(frame.components.len()), visited: 0 })
    }

    /// Blocks that scans have visited so far.
    pub fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether a scan of the component was decoded.
    pub fn has_scan(&self, component: usize) -> bool {
        self.precision.has_scan(component)
    }

    /// Decodes a scan. Returns the offset at which the markers go on.
    pub fn decode_scan(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        segments: Segments<'_, BitReader<'_>>,
        coder: Progressive,
        log: &mut Log,
    ) -> Result<usize> {
        self.follow(scan, log)?;
        match coder {
            Progressive::DcFirst(mut coder) => self.decode_dc(frame, scan, segments, &mut coder, log),
            Progressive::DcRefine(mut coder) => self.decode_dc(frame, scan, segments, &mut coder, log),
            Progressive::AcFirst(mut coder) => self.decode_band(frame, scan, segments, &mut coder, log),
            Progressive::AcRefine(mut coder) => self.decode_band(frame, scan, segments, &mut coder, log),
        }
    }

    /// Takes note of a scan, whose parameters must have been checked.
    pub fn follow(&mut self, scan: &ScanHeader, log: &mut Log) -> Result<()> {
        for chosen in &scan.components {
            self.planes[chosen.component].is_sound &= self.precision.follow(chosen.component, scan, log)?;
        }
        Ok(())
    }

    fn decode_dc<'a>(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        mut segments: Segments<'_, BitReader<'a>>,
        coder: &mut impl DcCoder<'a>,
        log: &mut Log,
    ) -> Result<usize> {
        let layout = McuLayout::new(frame, scan);
        let wide = u64::from(layout.mcus_wide);
        let total = wide * u64::from(layout.mcus_high);
        let mut slots = vec![Slot::default(); layout.blocks.len()];
        let mut next = 0;
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
            let (mcu_x, mcu_y) = ((next % wide) as usize, (next / wide) as usize);
            for (slot, place) in slots.iter_mut().zip(&layout.blocks) {
                let plane = &self.planes[scan.components[place.in_scan].component];
                let (h, v) = layout.factors[place.in_scan];
                let (h, v) = (h as usize, v as usize);
                let (x, y) = (mcu_x * h + place.x as usize, mcu_y * v + place.y as usize);
                *slot = Slot { in_scan: place.in_scan as u8, start: plane.dc + y * plane.dc_wide + x, step: h };
            }
            // This MCU and those up to the end of the row or the next restart marker.
            let ahead = (wide as usize - mcu_x).min((segments.mcus_in_segment() as usize).saturating_add(1));
            let mut done = coder.decode_slots(&mut segments.reader, &slots, ahead, &mut self.memory.dc);
            if done > 0 {
                segments.pass_over(done as u32 - 1);
            } else {
                for slot in &slots {
                    let mut block = [0; 64];
                    block[0] = self.memory.dc[slot.start];
                    coder.decode(&mut segments.reader, slot.in_scan.into(), &mut block, &mut segments.flaws);
                    self.memory.dc[slot.start] = block[0];
                }
                segments.after_mcu(log)?;
                done = 1;
            }
            next += done as u64;
            self.visited += (done * slots.len()) as u64;
        }
        segments.finish(log)
    }

    fn decode_band<'a>(
        &mut self,
        frame: &Frame,
        scan: &ScanHeader,
        mut segments: Segments<'_, BitReader<'a>>,
        coder: &mut impl BandCoder<'a>,
        log: &mut Log,
    ) -> Result<usize> {
        // The parameters allow one component, and a scan that is needed finds its blocks.
        let [only] = scan.components[..] else { return segments.finish(log) };
        let total = frame.components[only.component].block_count() as usize;
        let plane = &mut self.planes[only.component];
        let Some(first) = plane.blocks else { return segments.finish(log) };
        let blocks = &mut self.memory.blocks[first..][..total];
        let history = &mut self.memory.history[first..][..total];
        let mut next = 0;
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
            // This block and those up to the next restart marker.
            let ahead = (total - next).min((segments.mcus_in_segment() as usize).saturating_add(1));
            if plane.is_sound {
                let range = next..next + ahead;
                let run = coder.decode_blocks(&mut segments.reader, &mut blocks[range.clone()], &mut history[range]);
                if run.blocks > 0 {
                    segments.pass_over(run.blocks as u32 - 1);
                    next += run.blocks;
                    self.visited += run.visited as u64;
                    continue;
                }
            }
            let mut block = REVERSED.apply(&blocks[next]);
            coder.decode(&mut segments.reader, 0, &mut block, &mut segments.flaws);
            plane.is_sound &= segments.flaws == Flaws::default();
            blocks[next] = REVERSED.apply(&block);
            history[next] = (1..64).filter(|&k| block[k] != 0).fold(0, |all, k| all | 1 << (63 - k));
            segments.after_mcu(log)?;
            next += 1;
            self.visited += 1;
            // A run of blocks without data costs one step.
            let ahead = segments.mcus_in_segment().min(u32::try_from(total - next).unwrap_or(u32::MAX));
            let skipped = coder.skip_unchanged(ahead);
            segments.pass_over(skipped);
            next += skipped as usize;
        }
        segments.finish(log)
    }

    /// Hands the planes on as tiles of one MCU row each.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), and those of the consumer.
    pub fn emit(&mut self, frame: &Frame, rows: Range<u32>, consumer: &mut impl TileConsumer) -> Result<()> {
        let cpu = Cpu::detect();
        let mut placements = Vec::with_capacity(frame.components.len());
        let mut len = 0;
        for component in &frame.components {
            let wide = component.blocks_wide as usize;
            placements.push(Placement::of_plane(len, wide));
            // Blocks are put in order 16 at a time.
            len += usize::from(component.v) * wide + BLOCKS;
        }
        zero(&mut self.memory.tile, len)?;
        for mcu_row in rows {
            for ((component, placement), plane) in frame.components.iter().zip(&mut placements).zip(&self.planes) {
                let (v, wide) = (u32::from(component.v), placement.blocks_wide);
                placement.set_rows(mcu_row * v..(mcu_row + 1) * v, component.blocks_high);
                for row in (0..placement.rows as usize).filter(|_| plane.is_wanted) {
                    let y = placement.first_row as usize + row;
                    let dc = &self.memory.dc[plane.dc + y * plane.dc_wide..][..wide];
                    let to = &mut self.memory.tile[placement.base + row * wide..][..wide + BLOCKS];
                    match plane.blocks {
                        Some(first) => {
                            let blocks = &self.memory.blocks[first + y * wide..][..wide];
                            cpu.run(PutInOrder { blocks, dc, to });
                        }
                        // The others are zero.
                        None => to.iter_mut().zip(dc).for_each(|(to, &dc)| to[0] = dc),
                    }
                }
            }
            consumer.tile(&Tile::new(&self.memory.tile, &placements))?;
        }
        Ok(())
    }
}

/// From a reversed block to zigzag order and back.
const REVERSED: Order = {
    let (mut order, mut k) = ([0; 64], 0);
    while k < 64 {
        order[k] = 63 - k as u8;
        k += 1;
    }
    Order::new(&order)
};

/// Puts reversed blocks in zigzag order and adds their DC coefficients. Up to [`BLOCKS`] blocks behind the last one
/// are overwritten.
struct PutInOrder<'a> {
    blocks: &'a [Block],
    dc: &'a [i16],
    to: &'a mut [Block],
}

impl Kernel for PutInOrder<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let PutInOrder { blocks, dc, to } = self;
        for (group, (blocks, dc)) in blocks.chunks(BLOCKS).zip(dc.chunks(BLOCKS)).enumerate() {
            let Some(to) = to[group * BLOCKS..].first_chunk_mut::<BLOCKS>() else { return };
            let from: [&Block; BLOCKS] = std::array::from_fn(|b| &blocks[b.min(blocks.len() - 1)]);
            reorder(simd, &from[..blocks.len()], &REVERSED, to);
            to.iter_mut().zip(dc).for_each(|(to, &dc)| to[0] = dc);
        }
    }
}
