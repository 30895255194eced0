//! Tiles of a progressive image, from its reversed blocks and its DC coefficients.
//!
//! What enters: rows of both. What leaves: tiles of blocks in zigzag order.

use std::ops::Range;

use smallvec::SmallVec;

use super::tile::{Block, Placement, Tile};
use super::walk::REVERSED;
use crate::cpu::shuffle::{BLOCKS, reorder};
use crate::cpu::{Cpu, Kernel, Simd};
use crate::error::Result;
use crate::limits::zero;
use crate::spec::frame::Frame;

/// A tile in the making.
pub(super) struct Assembly<'t> {
    cpu: Cpu,
    blocks: &'t mut [Block],
    placements: SmallVec<[Placement; 4]>,
}

impl<'t> Assembly<'t> {
    /// For tiles of up to so many MCU rows of the frame. What is not put there is zero.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn new(frame: &Frame, mcu_rows: u32, blocks: &'t mut Vec<Block>) -> Result<Assembly<'t>> {
        let (mut placements, mut len) = (SmallVec::new(), 0);
        for component in &frame.components {
            let wide = component.blocks_wide as usize;
            placements.push(Placement::of_plane(len, wide));
            // Blocks are put in order 16 at a time.
            len += mcu_rows as usize * usize::from(component.v) * wide + BLOCKS;
        }
        zero(blocks, len)?;
        Ok(Assembly { cpu: Cpu::detect(), blocks, placements })
    }

    /// The next tile has these MCU rows.
    pub fn set_rows(&mut self, frame: &Frame, mcu_rows: Range<u32>) {
        for (component, placement) in frame.components.iter().zip(&mut self.placements) {
            let v = u32::from(component.v);
            placement.set_rows(mcu_rows.start * v..mcu_rows.end * v, component.blocks_high);
        }
    }

    /// Block rows of a component in the tile.
    pub fn rows(&self, component: usize) -> Range<u32> {
        self.tile().rows(component)
    }

    /// Puts row `y` of a component in its place, one of [`Assembly::rows`]. Where there are no blocks, there never are any
    /// of this component.
    pub fn put_row(&mut self, component: usize, y: u32, dc: &[i16], blocks: Option<&[Block]>) {
        let placement = &self.placements[component];
        let (row, wide) = ((y - placement.first_row) as usize, placement.blocks_wide);
        let to = &mut self.blocks[placement.base + row * wide..][..wide + BLOCKS];
        match blocks {
            Some(blocks) => self.cpu.run(PutInOrder { blocks, dc, to }),
            None => to.iter_mut().zip(dc).for_each(|(to, &dc)| to[0] = dc),
        }
    }

    /// The tile.
    pub fn tile(&self) -> Tile<'_> {
        Tile::new(self.blocks, &self.placements)
    }
}

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
