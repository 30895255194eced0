//! Segments and entropy-coded data to tiles.
mod tile;

use crate::error::{Result, Warning};
use crate::limits::Limits;
use crate::markers::ImageInfo;

pub use tile::{Block, Demand, Placement, Tile, TileConsumer, TileRow};

/// What happens to an image whose header is good and whose data is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Damage {
    /// It is an error, [`crate::Error::Damaged`].
    #[default]
    Refuse,
    /// What was decoded is kept, lost coefficients are zero, and warnings say so.
    Keep,
}

/// How to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// What one image may cost.
    pub limits: Limits,
    /// What to do with damage.
    pub damage: Damage,
}

/// Buffers that one image after another uses, so that decoding allocates nothing in steady state.
#[derive(Debug, Default)]
pub struct Scratch {}

/// What is known after the last tile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The headers, with the quantisation tables.
    pub info: ImageInfo,
    /// Scans decoded.
    pub scans: u32,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

/// Decodes an image and hands its tiles to `consumer`.
///
/// # Errors
/// Those of the headers, limits, of damage if it is refused, and of the consumer.
pub fn decode_tiles(
    bytes: &[u8],
    options: &DecodeOptions,
    scratch: &mut Scratch,
    consumer: &mut impl TileConsumer,
) -> Result<Summary> {
    let _ = (bytes, options, scratch, consumer);
    todo!()
}
