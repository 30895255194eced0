//! Segments and entropy-coded data to tiles.
//!
//! What enters: the bytes of a file. What leaves: [`Tile`]s of quantised blocks, in order, and a [`Summary`]. MCU order,
//! restart intervals, recovery and the order of scans are dealt with here; bits are the business of the entropy coders.

mod abreast;
mod arithmetic;
mod assembly;
mod coders;
mod collect;
mod crew;
mod decode;
mod layout;
mod needed;
mod passes;
mod precision;
mod progressive;
mod restart;
#[cfg(feature = "threads")]
mod split;
mod stream;
mod tile;
mod walk;

use crate::error::Warning;
use crate::limits::Limits;
use crate::markers::ImageInfo;

#[cfg(feature = "corpus")]
pub(crate) use decode::look_at_prefix;
pub use decode::{Scratch, decode_tiles, read_headers};
#[cfg(feature = "corpus")]
pub(crate) use needed::Prefix;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// What one image may cost.
    pub limits: Limits,
    /// What to do with damage.
    pub damage: Damage,
    /// How many threads decode one image: 1 by default, and without the feature `threads`. What comes out does not depend on
    /// it. It is worth while for large files and for progressive ones, where there are idle processors: each thread takes up to
    /// some 9 MB. The calling one works alone on what is not shared out: arithmetic images, those in several sequential
    /// scans, small and almost flat files, what comes behind damage, and where the pieces would exceed
    /// [`Limits::memory`].
    pub threads: usize,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        DecodeOptions { limits: Limits::default(), damage: Damage::default(), threads: 1 }
    }
}

/// What is known after the last tile.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The headers, with the quantisation tables.
    pub info: ImageInfo,
    /// Scans decoded: those that nothing wanted is in are left out.
    pub scans: u32,
    /// Bytes from the start of the file behind which nothing was looked at.
    pub bytes: u64,
    /// What was odd.
    pub warnings: Vec<Warning>,
}
