//! The waist: a few MCU rows of quantised blocks, and who takes them.
//!
//! What enters: blocks of 64 coefficients in zigzag order, as a scan decoded them. What leaves: the same blocks,
//! addressed by component, block row and block column. Nothing is dequantised or selected here.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use crate::error::Result;
use crate::markers::ImageInfo;

/// One block: 64 quantised coefficients in zigzag order.
pub type Block = [i16; 64];

/// Where one component's blocks lie in a tile.
///
/// A tile that a scan wrote in decode order and one cut from whole planes differ only in these numbers: block column
/// `x` of tile row `y` is block number `base + (y / v) * mcu_row_stride + (y % v) * row_stride + (x / h) * mcu_stride
/// + x % h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placement {
    /// Number of the component's first block.
    pub base: usize,
    /// Blocks of this component side by side in an MCU.
    pub h: usize,
    /// Block rows of this component in an MCU.
    pub v: usize,
    /// Blocks from one MCU to the next on its right.
    pub mcu_stride: usize,
    /// Blocks from one MCU row to the next.
    pub mcu_row_stride: usize,
    /// Blocks from one block row to the next inside an MCU.
    pub row_stride: usize,
    /// Block columns of the true grid.
    pub blocks_wide: usize,
    /// First block row of the tile, in the component's grid.
    pub first_row: u32,
    /// Block rows in the tile that belong to the true grid.
    pub rows: u32,
}

impl Placement {
    /// That of a plane: block row by block row, `blocks_wide` in each. It has no rows yet.
    pub(super) fn of_plane(base: usize, blocks_wide: usize) -> Placement {
        Placement {
            base,
            h: 1,
            v: 1,
            mcu_stride: 1,
            mcu_row_stride: blocks_wide,
            row_stride: blocks_wide,
            blocks_wide,
            first_row: 0,
            rows: 0,
        }
    }

    /// The tile has these block rows, as far as the component's true grid of `blocks_high` rows has them.
    pub(super) fn set_rows(&mut self, rows: Range<u32>, blocks_high: u32) {
        self.first_row = rows.start.min(blocks_high);
        self.rows = rows.end.min(blocks_high) - self.first_row;
    }
}

/// A few MCU rows of one image.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// All blocks, and behind the last one any slack the decoder needs.
    pub(crate) blocks: &'a [Block],
    /// One entry a component, in frame order.
    pub(crate) placements: &'a [Placement],
}

impl<'a> Tile<'a> {
    /// A tile over blocks placed as stated.
    pub fn new(blocks: &'a [Block], placements: &'a [Placement]) -> Self {
        Tile { blocks, placements }
    }

    /// The block rows of the component's true grid that this tile holds (may be empty).
    pub fn rows(&self, component: usize) -> Range<u32> {
        let p = &self.placements[component];
        p.first_row..p.first_row + p.rows
    }

    /// One block row of a component: an iterator over its blocks from left to right.
    ///
    /// `row` counts in the component's true grid and must lie in [`Tile::rows`].
    pub fn row(&self, component: usize, row: u32) -> TileRow<'a> {
        let p = &self.placements[component];
        let y = (row - p.first_row) as usize;
        let start = p.base + y / p.v * p.mcu_row_stride + y % p.v * p.row_stride;
        TileRow { blocks: &self.blocks[start..], h: p.h, mcu_stride: p.mcu_stride, blocks_wide: p.blocks_wide }
    }
}

/// One block row of a component in a tile.
#[derive(Debug, Clone, Copy)]
pub struct TileRow<'a> {
    blocks: &'a [Block],
    h: usize,
    mcu_stride: usize,
    blocks_wide: usize,
}

impl<'a> TileRow<'a> {
    /// Blocks in the row.
    pub fn len(&self) -> usize {
        self.blocks_wide
    }

    /// Whether the row is empty.
    pub fn is_empty(&self) -> bool {
        self.blocks_wide == 0
    }

    /// The block in column `x < len()`.
    #[inline]
    pub fn block(&self, x: usize) -> &'a Block {
        // The usual factors without a division.
        let (mcu, inside) = match self.h {
            1 => (x, 0),
            2 => (x >> 1, x & 1),
            h => (x / h, x % h),
        };
        &self.blocks[mcu * self.mcu_stride + inside]
    }

    /// All blocks from left to right.
    pub fn iter(&self) -> impl Iterator<Item = &'a Block> + use<'a> {
        let row = *self;
        (0..row.blocks_wide).map(move |x| row.block(x))
    }
}

/// What a consumer needs of an image: lets the decoder leave out what nobody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Per component: the highest zigzag position wanted, 0..=63, or `None` if the component is not wanted at all.
    pub highest: SmallVec<[Option<u8>; 4]>,
    /// MCU rows (of the frame's MCU grid) wanted. Rows outside may be left out.
    pub mcu_rows: Range<u32>,
    /// Of a progressive image the first scan of every coefficient is enough: an approximation, without the low bits that
    /// refinement scans bring.
    pub first_passes: bool,
}

impl Demand {
    /// Everything.
    pub fn all(info: &ImageInfo) -> Demand {
        Demand {
            highest: smallvec![Some(63); info.frame.components.len()],
            mcu_rows: 0..info.frame.mcus_high,
            first_passes: false,
        }
    }
}

/// Takes the tiles of one image, in order from top to bottom, each block row of each component once. With
/// [`DecodeOptions::threads`](super::DecodeOptions::threads) one thread after another may hand them over.
pub trait TileConsumer: Send {
    /// The headers up to the first scan are known: says what is wanted, or refuses the image.
    fn demand(&mut self, info: &ImageInfo) -> Result<Demand>;

    /// All quantisation tables are known (`info.quant_tables`); tiles follow.
    fn begin(&mut self, info: &ImageInfo) -> Result<()>;

    /// Takes the next tile.
    fn tile(&mut self, tile: &Tile<'_>) -> Result<()>;
}
