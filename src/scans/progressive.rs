//! Progressive Huffman images whose scans are not abreast: all are decoded one after another into whole planes, which then
//! leave as tiles. This takes any file, damage and all.
//!
//! What scans change together lies together. The DC coefficients have planes of their own, padded to whole MCUs. The AC
//! coefficients are in reversed blocks with their histories ([`super::walk`]), true-size grids one component behind the
//! other, so that a scan of one component is one run of blocks. That is 2 bytes a coefficient and 8 % more.

use std::ops::Range;

use smallvec::SmallVec;

use super::assembly::Assembly;
use super::needed::Needed;
use super::passes::Progressive;
use super::precision::Precision;
use super::restart::Segments;
use super::tile::{Block, TileConsumer};
use super::walk::{DcPlane, Walk};
use crate::entropy::BitReader;
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
    dc: DcPlane,
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
            let of_dc = DcPlane { start: dc, wide: component.padded_blocks_wide as usize, first_row: 0 };
            planes.push(Plane { blocks: ac.then_some(blocks), dc: of_dc, is_sound: true, is_wanted });
            blocks += if ac { component.block_count() as usize } else { 0 };
            dc += of_dc.wide * component.padded_blocks_high as usize;
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
        let mut walk = Walk::new(frame, scan, segments, coder);
        let total = walk.total();
        if scan.ss == 0 {
            let planes: SmallVec<[DcPlane; 4]> = self.planes.iter().map(|plane| plane.dc).collect();
            walk.go_on_dc(total, &planes, &mut self.memory.dc, log)?;
        } else if let [only] = scan.components[..] {
            let plane = &mut self.planes[only.component];
            // A scan that is needed finds its blocks.
            if let Some(first) = plane.blocks {
                let blocks = &mut self.memory.blocks[first..][..total];
                let history = &mut self.memory.history[first..][..total];
                walk.go_on_ac(total, blocks, history, &mut plane.is_sound, log)?;
            }
        }
        self.visited += walk.visited;
        walk.finish(log)
    }

    /// Takes note of a scan, whose parameters must have been checked.
    pub fn follow(&mut self, scan: &ScanHeader, log: &mut Log) -> Result<()> {
        for chosen in &scan.components {
            self.planes[chosen.component].is_sound &= self.precision.follow(chosen.component, scan, log)?;
        }
        Ok(())
    }

    /// Hands the planes on as tiles of one MCU row each.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), and those of the consumer.
    pub fn emit(&mut self, frame: &Frame, rows: Range<u32>, consumer: &mut impl TileConsumer) -> Result<()> {
        let Memory { blocks, history: _, dc, tile } = &mut *self.memory;
        let mut assembly = Assembly::new(frame, 1, tile)?;
        for mcu_row in rows {
            assembly.set_rows(frame, mcu_row..mcu_row + 1);
            for (component, plane) in self.planes.iter().enumerate().filter(|(_, plane)| plane.is_wanted) {
                for y in assembly.rows(component) {
                    let wide = frame.components[component].blocks_wide as usize;
                    let dc = &dc[plane.dc.start + y as usize * plane.dc.wide..][..wide];
                    let blocks = plane.blocks.map(|first| &blocks[first + y as usize * wide..][..wide]);
                    assembly.put_row(component, y, dc, blocks);
                }
            }
            consumer.tile(&assembly.tile())?;
        }
        Ok(())
    }
}
