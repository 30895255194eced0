//! How much one image may cost. A file that asks for more is refused with [`Error::Limit`]
//! before anything is allocated for it.

use std::fmt;

use crate::error::{Error, Result};

/// Upper bounds for one image. The defaults suit corpora of photographs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Luma pixels, width times height. Default 2^28 (268 megapixels).
    pub pixels: u64,
    /// Bytes of coefficients a multi-scan image is collected in, or of the tensor asked for. Default 2 GiB.
    pub memory: u64,
    /// Scans of one image. Default 1000.
    pub scans: u64,
    /// Bytes of one input file. Default 1 GiB.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { pixels: 1 << 28, memory: 2 << 30, scans: 1000, file_bytes: 1 << 30 }
    }
}

/// Which limit was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::pixels`].
    Pixels,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::scans`].
    Scans,
    /// [`Limits::file_bytes`].
    FileBytes,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LimitKind::Pixels => "the number of pixels",
            LimitKind::Memory => "the memory in bytes",
            LimitKind::Scans => "the number of scans",
            LimitKind::FileBytes => "the file size in bytes",
        })
    }
}

impl Limits {
    /// `Ok` if `found` is within the limit of this kind.
    pub fn check(&self, kind: LimitKind, found: u64) -> Result<()> {
        let limit = match kind {
            LimitKind::Pixels => self.pixels,
            LimitKind::Memory => self.memory,
            LimitKind::Scans => self.scans,
            LimitKind::FileBytes => self.file_bytes,
        };
        if found > limit { Err(Error::Limit { kind, found, limit }) } else { Ok(()) }
    }
}
